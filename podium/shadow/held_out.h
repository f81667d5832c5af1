// What users did after two bundles were trained: what a recommender should have answered them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/serving/bundle.h"
#include "podium/serving/live_state.h"
#include "podium/store/log.h"

namespace podium::shadow {

inline constexpr size_t kMostOfUser = 10;  // events, so that no single user decides

struct HeldOut {
  std::string user;
  // Of the user before `time`, in the log or trained on by one of the bundles, oldest first.
  std::vector<std::string> history;
  std::vector<int64_t> times;  // of history
  std::string item;            // that the user took
  int64_t time = 0;            // and when, unix seconds
};

struct HeldOutEvents {
  std::vector<HeldOut> events;  // the newest first
  int64_t trained_until = 0;    // unix seconds: the newest event that either bundle was trained on
  // Left out:
  size_t trained_on = 0;  // not later than that
  size_t had = 0;         // the user had the item, and neither bundle recommends such items
};

// newest: events of the log, in its order. One counts when it is later than everything that either
// bundle was trained on, so that no model has seen it, nor what others did at the time; and the
// user's history ends before its second. What was taken back, what is dated after `now` (unix
// seconds), and events of the type "read", which Gorse's clients write of what was only shown, do
// not count. Where a bundle's events have no times there are none.
HeldOutEvents held_out(std::span<const store::Event> newest, const serving::LiveState& state,
                       const serving::Bundle& active, const serving::Bundle& candidate, int64_t now,
                       size_t most);

}  // namespace podium::shadow
