// The live state that a log tells, read while a server may be writing it, and the log's newest
// events.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "podium/serving/live_state.h"
#include "podium/store/log.h"
#include "podium/store/reader.h"

namespace podium::shadow {

inline constexpr size_t kNewestChanges =
    50000;  // of a log, among which newest events are looked for

// In memory: what a store of this folder would say, without its lock.
class LogState : public serving::MemoryState {
 public:
  // Throws Error as store::read_log() does.
  explicit LogState(const fs::path& state);

  serving::LiveHistory history_of(std::string_view user) const override;
  const std::vector<store::Event>& newest_events() const { return newest_; }

 private:
  void apply(const store::Change& change);

  std::unordered_set<std::string> erased_;  // digests of users
  std::vector<store::Event> newest_;
};

// Of the newest kNewestChanges before `end`, in the log's order.
std::vector<store::Event> newest_events(const fs::path& state, store::Offset end);

}  // namespace podium::shadow
