#include "podium/shadow/held_out.h"

#include <algorithm>
#include <map>
#include <utility>

namespace podium::shadow {
namespace {

using serving::LiveEvent;

int64_t newest_event(const data::Dataset& dataset) {
  int64_t newest = 0;
  for (data::UserIndex user = 0; user < data::UserIndex(dataset.users()); ++user) {
    const auto times = dataset.times_of(user);
    if (!times.empty()) newest = std::max(newest, times.back());
  }
  return newest;
}

// What is known of a user, each event once, oldest first.
std::vector<LiveEvent> history_of(const std::string& user, const serving::LiveState& state,
                                  const serving::Bundle& active, const serving::Bundle& candidate) {
  const serving::LiveHistory live = state.history_of(user);
  std::vector<LiveEvent> all;
  if (!live.erased) {
    all = active.events_of(user);
    const auto more = candidate.events_of(user);
    all.insert(all.end(), more.begin(), more.end());
  }
  all.insert(all.end(), live.events.begin(), live.events.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const LiveEvent& a, const LiveEvent& b) { return a.time < b.time; });
  std::vector<LiveEvent> once;
  for (LiveEvent& event : all) {
    bool told = false;
    for (size_t i = once.size(); i-- > 0 && once[i].time == event.time;) {
      told = told || once[i].item == event.item;
    }
    if (!told) once.push_back(std::move(event));
  }
  return once;
}

bool leaves_out_seen(const serving::Bundle& bundle) {
  return bundle.options().upstream.sources.seen == "exclude";
}

}  // namespace

HeldOutEvents held_out(std::span<const store::Event> newest, const serving::LiveState& state,
                       const serving::Bundle& active, const serving::Bundle& candidate, int64_t now,
                       size_t most) {
  HeldOutEvents found;
  if (!active.timed() || !candidate.timed()) return found;
  found.trained_until = std::max(newest_event(active.dataset()), newest_event(candidate.dataset()));
  const bool anew = leaves_out_seen(active) && leaves_out_seen(candidate);
  std::vector<const store::Event*> order;
  for (const store::Event& event : newest) {
    if (event.event.time <= now && event.event.type != "read") order.push_back(&event);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->event.time < b->event.time; });
  std::map<std::string, std::pair<size_t, std::vector<LiveEvent>>, std::less<>> users;
  for (size_t i = order.size(); i-- > 0 && found.events.size() < most;) {
    const std::string& user = order[i]->user;
    const LiveEvent& event = order[i]->event;
    if (event.time <= found.trained_until) {
      found.trained_on += i + 1;  // and all before it
      break;
    }
    const auto known = users.try_emplace(user);
    size_t& taken = known.first->second.first;
    std::vector<LiveEvent>& events = known.first->second.second;
    if (known.second) events = history_of(user, state, active, candidate);
    if (taken == kMostOfUser) continue;
    if (std::ranges::none_of(events, [&](const LiveEvent& e) {
          return e.time == event.time && e.item == event.item;
        })) {
      continue;  // taken back
    }
    HeldOut one{.user = user, .history = {}, .times = {}, .item = event.item, .time = event.time};
    for (const LiveEvent& before : events) {
      if (before.time >= event.time) break;
      one.history.push_back(before.item);
      one.times.push_back(before.time);
    }
    if (anew && std::ranges::find(one.history, event.item) != one.history.end()) {
      ++found.had;
      continue;
    }
    ++taken;
    found.events.push_back(std::move(one));
  }
  return found;
}

}  // namespace podium::shadow
