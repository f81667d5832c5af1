// What a stage of the funnel answered for each event to predict, and the metrics over it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/data/split.h"

namespace podium::eval {

// One stage's lists. lists[t] = ranked items for target t, best first (at most 10 kept).
// rank[t] = 0-based rank of the target's item in the stage's full ranking, or -1 if it was not
// retrieved at all.
struct StageResult {
  std::string stage;  // "popularity", "item-to-item", "sasrec", "upstream", "gr2-sft", ...
  std::vector<int32_t> rank;                          // [targets]
  std::vector<std::vector<data::ItemIndex>> lists;    // [targets][<= 10]
  // Of re-rankers alone (negative: not measured).
  double identity_rate = -1;     // answers equal to the input order, where a positive was present
  double invalid_rate = -1;      // unconstrained decoding
  double position_bias = -1;     // see report.h
  double milliseconds = -1;      // median a slate
};

}  // namespace podium::eval
