#include "podium/shadow/log_state.h"

#include <algorithm>

namespace podium::shadow {

LogState::LogState(const fs::path& state) {
  store::Offset end = 0;
  store::read_log(state / store::kLogFile, [&](const store::Row& row) {
    apply(store::change_of(row));
    end = row.offset;
  });
  newest_ = shadow::newest_events(state, end);
}

void LogState::apply(const store::Change& change) {
  if (const auto* event = std::get_if<store::Event>(&change)) {
    add_event(event->user, event->event);
  } else if (const auto* erase = std::get_if<store::EraseUser>(&change)) {
    erased_.insert(erase->user);  // a digest; the user's events have left the log
  } else if (const auto* item = std::get_if<store::PutItem>(&change)) {
    put_items({&item->item, 1});
  } else if (const auto* removed = std::get_if<store::RemoveItem>(&change)) {
    remove_item(removed->id);
  } else if (const auto* events = std::get_if<store::RemoveEvents>(&change)) {
    remove_events(events->user, events->item, events->type);
  }
}

serving::LiveHistory LogState::history_of(std::string_view user) const {
  serving::LiveHistory history = MemoryState::history_of(user);
  history.erased = !erased_.empty() && erased_.contains(store::digest_of(user));
  return history;
}

std::vector<store::Event> newest_events(const fs::path& state, store::Offset end) {
  std::vector<store::Event> events;
  store::read_log(
      state / store::kLogFile,
      [&](const store::Row& row) {
        const store::Change change = store::change_of(row);
        if (const auto* event = std::get_if<store::Event>(&change)) events.push_back(*event);
      },
      std::max<store::Offset>(0, end - store::Offset(kNewestChanges)));
  return events;
}

}  // namespace podium::shadow
