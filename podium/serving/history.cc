#include "podium/serving/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"

namespace podium::serving {
namespace {

struct Event {
  data::ItemIndex item;
  int64_t time;
};

// Whether the bundle was trained on this event, which the log then holds as well
// (store/export.h): the dataset has one event of a user, item and moment.
bool was_trained_on(const data::Dataset& dataset, data::UserIndex user, const Event& event) {
  const auto times = dataset.times_of(user);
  const auto items = dataset.items_of(user);
  auto at = size_t(std::lower_bound(times.begin(), times.end(), event.time) - times.begin());
  for (; at < times.size() && times[at] == event.time; ++at) {
    if (items[at] == event.item) return true;
  }
  return false;
}

std::vector<Event> events_of_user(const Bundle& bundle, const LiveState& state,
                                  const AddedItems& added, const Request& request,
                                  History& history) {
  const data::Dataset& dataset = bundle.dataset();
  const LiveHistory live = state.history_of(request.user);
  const auto index = dataset.find_user(request.user);
  history.new_user = !index && live.events.empty();
  if (history.new_user && !request.may_be_new) {
    throw Error(ErrorKind::kNotFound, fmt::format("no user '{}' in this bundle", request.user),
                "check the id, or give a history, which may be empty, for somebody new",
                bundle.dir().string());
  }
  std::vector<Event> events;
  if (index && !live.erased) {
    const auto items = dataset.items_of(*index);
    const auto times = dataset.times_of(*index);
    for (size_t i = 0; i < items.size(); ++i) events.push_back({items[i], times[i]});
  }
  const auto trained = std::ptrdiff_t(events.size());
  const bool repeats = index && !live.erased && bundle.timed();
  for (const LiveEvent& event : live.events) {
    const auto item = find_item(bundle, added, event.item);
    if (!item) {
      ++history.unknown;
    } else if (!repeats || !was_trained_on(dataset, *index, {*item, event.time})) {
      events.push_back({*item, event.time});
    }
  }
  if (bundle.timed()) {  // else the two kinds of times cannot be compared
    std::inplace_merge(events.begin(), events.begin() + trained, events.end(),
                       [](const Event& a, const Event& b) { return a.time < b.time; });
  }
  return events;
}

std::vector<Event> events_given(const Bundle& bundle, const AddedItems& added,
                                const Request& request, size_t& unknown) {
  std::vector<Event> events;
  for (size_t i = 0; i < request.history.size(); ++i) {
    if (const auto item = find_item(bundle, added, request.history[i])) {
      events.push_back({*item, request.times.empty() ? 0 : request.times[i]});
    } else {
      ++unknown;
    }
  }
  return events;
}

void check_times(const Request& request) {
  if (request.time) check_time(*request.time);
  for (const int64_t time : request.times) check_time(time);
  if (request.times.empty()) return;
  if (request.times.size() != request.history.size()) {
    throw Error(fmt::format("{} times for a history of {} items", request.times.size(),
                            request.history.size()),
                "give a time for each item, or none");
  }
  if (!std::is_sorted(request.times.begin(), request.times.end())) {
    throw Error("the times of the history go backwards", "give the oldest event first");
  }
}

}  // namespace

History history_of(const Bundle& bundle, const LiveState& state, const AddedItems& added,
                   const Request& request, int64_t clock) {
  if (!request.user.empty() && !request.history.empty()) {
    throw Error("a request has a user and a history", "give one of the two");
  }
  check_times(request);
  History history;
  history.now = request.time.value_or(clock);
  const bool of_user = !request.user.empty();
  const std::vector<Event> events = of_user ? events_of_user(bundle, state, added, request, history)
                                            : events_given(bundle, added, request, history.unknown);
  const bool timed = bundle.timed() && (of_user || !request.times.empty());
  for (const Event& event : events) {
    history.items.push_back(event.item);
    if (event.item >= bundle.dataset().items()) {
      history.added.push_back(event.item);
      continue;
    }
    history.trained.push_back(event.item);
    if (timed) history.times.push_back(event.time);
  }
  return history;
}

std::string time_problem(int64_t time) {
  constexpr int64_t kEnd = 7'258'118'400;  // of 2199
  if (time < 0) {
    return fmt::format("the time {} is negative: give unix seconds, or no time if it is unknown",
                       time);
  }
  if (time < kEnd) return "";
  return fmt::format("the time {} lies after the year 2199: give unix seconds, not milliseconds",
                     time);
}

void check_time(int64_t time, const std::string& where) {
  const std::string problem = time_problem(time);
  if (!problem.empty()) throw Error(problem, "times are unix seconds, from 1970 on", where);
}

std::optional<data::ItemIndex> find_item(const Bundle& bundle, const AddedItems& added,
                                         std::string_view id) {
  const auto item = bundle.dataset().find_item(id);
  return item ? item : added.find(id);
}

}  // namespace podium::serving
