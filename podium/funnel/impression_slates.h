// Slates that users were shown (data/impressions.h) as slates that a re-ranker orders.
//
// Candidates stand in the order shown and are labelled by the clicks. What the upstream knows of
// them is left out: scores and evidence are 0, there are no numbers; Upstream::describe adds them,
// to a query of the user's first `position` events at `time`.
#pragma once

#include <cstdint>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/data/impressions.h"
#include "podium/rerank/slate.h"

namespace podium::funnel {

struct LoggedSlate {
  data::UserIndex user;
  int64_t time;         // unix seconds
  uint32_t position;    // number of the user's events before `time`
  rerank::Slate slate;  // id "USER#NUMBER", by its number among the impressions; the history is the
                        // newest of those events, and may be empty
};

// Those shown in [first_time, last_time), as the impressions have them: by user, then time. Slates
// that no re-ranker takes (rerank::slate_flaw: one item, say) are left out.
std::vector<LoggedSlate> impression_slates(const data::Dataset& dataset,
                                           const data::Impressions& impressions, int64_t first_time,
                                           int64_t last_time);

}  // namespace podium::funnel
