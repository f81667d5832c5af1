// What a stage of the funnel answered for each event to predict, and what the metrics need to know
// of those events. Both are plain columns, kept in one file, so that `podium eval` can recompute
// every figure without the models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/data/dataset.h"
#include "podium/data/split.h"

namespace podium::eval {

// One stage's lists. lists[t] = ranked items for target t, best first (at most 10 kept).
// rank[t] = 0-based rank of the target's item in the stage's full ranking, or -1 if it was not
// retrieved at all. A re-ranker permutes upstream's first K; after them upstream's ranks stand.
struct StageResult {
  std::string stage;          // "popularity", "item-to-item", "sasrec", "upstream", "gr2-sft", ...
  std::vector<int32_t> rank;  // [targets]
  std::vector<std::vector<data::ItemIndex>> lists;  // [targets][<= 10]
  // Of slates that were shown: the clicks in this stage's order, 1 or 0; of baskets as close_basket
  // leaves them; empty otherwise.
  std::vector<std::vector<uint8_t>> labels;  // [targets][candidates]

  // Only of re-rankers (negative: not measured).
  double identity_rate = -1;  // answers equal to the input order, where a positive was present
  double invalid_rate = -1;   // unconstrained decoding
  double position_bias = -1;  // N@K with candidates in upstream order minus N@K with the same
                              // candidates shuffled, over slates with a positive; may be < 0,
                              // so "not measured" is exactly -1
  double milliseconds = -1;   // median a slate
  // Shares of its traces (rerank/trace_check.h).
  double trace_grounded = -1, trace_consistent = -1, trace_repeats = -1;
};

enum class ItemGroup : uint8_t { kHead, kTail, kCold };
inline constexpr uint32_t kColdBelow = 5;  // cold: fewer events than this in the fit view

// One event to predict, as the metrics group it.
struct TargetInfo {
  uint32_t user = 0;      // targets of one user are resampled together
  uint32_t history = 0;   // events before it
  bool same_day = false;  // it and the event before it fall on one UTC day
  ItemGroup group = ItemGroup::kTail;
  float weight = 1;  // what it counts (data/split.h)

  bool operator==(const TargetInfo&) const = default;
};

// All targets of a phase and the popularity that novelty and groups are measured by.
struct TargetSet {
  std::vector<TargetInfo> targets;   // by user
  std::vector<uint32_t> popularity;  // [items], events in the fit view

  bool operator==(const TargetSet&) const = default;
};

// Labels of a stage's list for a basket of `answers` items become those of its first `places`, 0
// where it is shorter, and after them a 1 for each answer that they lack: the metrics count it as
// wanted and not found, the AUC as put after all others.
void close_basket(size_t places, size_t answers, std::vector<uint8_t>& labels);

// The stage of that name, or nullptr.
const StageResult* find_stage(const std::vector<StageResult>& stages, std::string_view name);

// Head: the most popular fifth of the items that have an event (ties by ascending index); cold:
// fewer than kColdBelow events in the fit view (it wins over head); tail: the rest.
TargetSet target_set(const data::Phase& phase);

// One JSON file, written atomically. Reading throws Error on a malformed or newer file and when a
// stage's columns do not fit the targets.
void write_results(const fs::path& file, const TargetSet& targets,
                   const std::vector<StageResult>& stages);
struct SavedResults {
  TargetSet targets;
  std::vector<StageResult> stages;
};
SavedResults read_results(const fs::path& file);

}  // namespace podium::eval
