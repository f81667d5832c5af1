#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "podium/base/error.h"
#include "podium/serve/gorse.h"
#include "podium/serve/problem.h"
#include "podium/serve/read_json.h"

namespace podium::serve::gorse {
namespace {

using serving::LiveUser;

constexpr size_t kUsersAtOnce = 256;  // read of the store

// Which feedback is asked for.
struct Filter {
  std::optional<std::string> type = {}, item = {};

  bool has(const serving::LiveEvent& event) const {
    return (!type || event.type == *type) && (!item || event.item == *item);
  }
};

// A user's, in order of item and type.
std::vector<Feedback> rows_of(const LiveUser& user, const Filter& filter) {
  std::map<std::pair<std::string, std::string>, Feedback> rows;
  for (const auto& event : user.history.events) {
    if (!filter.has(event)) continue;
    Feedback& row = rows[{event.item, event.type}];
    row = {event.type, user.id, event.item, event.time, row.value + event.value};
  }
  std::vector<Feedback> list;
  for (auto& [key, row] : rows) list.push_back(std::move(row));
  return list;
}

Json feedback_json(const Feedback& feedback) {
  return {{"FeedbackType", feedback.type},
          {"UserId", feedback.user},
          {"ItemId", feedback.item},
          {"Value", feedback.value},
          {"Timestamp", timestamp(feedback.time)},
          {"Labels", Json()},
          {"Comment", ""}};
}

Json list_json(const std::vector<Feedback>& rows) {
  Json list = Json::array();
  for (const Feedback& row : rows) list.push_back(feedback_json(row));
  return list;
}

// Where a list goes on: after this row.
struct Place {
  std::string user, item, type;

  static Place read(const std::string& text) {
    if (text.empty()) return {};
    const Json json = Json::parse(text, nullptr, false);
    const bool ours = json.is_array() && json.size() == 3 &&
                      std::ranges::all_of(json, [](auto& part) { return part.is_string(); });
    if (!ours) refuse("cursor", "must be that of an answer");
    return {json[0], json[1], json[2]};
  }
  std::string text() const { return dump(Json::array({user, item, type})); }
  bool before(const Feedback& row) const {
    return std::tie(user, item, type) < std::tie(row.user, row.item, row.type);
  }
};

// Everybody's rows after a place, in order of user, item and type.
std::vector<Feedback> rows_after(const Service& service, const Place& place, size_t n,
                                 const Filter& filter) {
  std::vector<Feedback> rows;
  std::string from = place.user;
  while (rows.size() < n) {
    const auto users = service.store.users_from(from, kUsersAtOnce);
    if (users.empty()) break;
    for (const LiveUser& user : users) {
      for (Feedback& row : rows_of(user, filter)) {
        if (rows.size() < n && place.before(row)) rows.push_back(std::move(row));
      }
    }
    from = users.back().id + '\0';
  }
  return rows;
}

void list_feedback(Service& service, const Call& call) {
  const size_t n = number(call.request, "n", 10, kMostListed);
  Filter filter;
  if (!call.ids.empty()) filter.type = call.ids[0];
  const auto rows = rows_after(service, Place::read(cursor(call.request)), n, filter);
  std::string next;
  if (n > 0 && rows.size() == n) {
    const Feedback& last = rows.back();
    next = Place{last.user, last.item, last.type}.text();
  }
  call.reply(json_reply({{"Cursor", next}, {"Feedback", list_json(rows)}}));
}

// POST adds events; PUT takes away those of the same user, item and type first.
void insert_feedback(Service& service, const Call& call, bool instead) {
  const Json json = objects_of(call);
  std::vector<store::Change> changes;
  for (size_t i = 0; i < json.size(); ++i) {
    Feedback row = feedback_of(json[i], fmt::format("[{}].", i), 0);
    if (instead) changes.emplace_back(store::RemoveEvents{row.user, row.item, row.type});
    changes.emplace_back(store::Event{
        std::move(row.user), {row.item, row.time, row.type, row.value}, row.time == 0});
  }
  write(service, call, std::move(changes), json.size());
}

// The path has user and item last, after a type or none.
struct Named {
  std::string user;
  Filter filter;

  explicit Named(const Call& call) : user(call.ids[call.ids.size() - 2]) {
    filter.item = call.ids.back();
    if (call.ids.size() == 3) filter.type = call.ids[0];
  }
};

void get_feedback(Service& service, const Call& call) {
  const Named named(call);
  const auto rows = rows_of(service.store.user(named.user), named.filter);
  if (!named.filter.type) return call.reply(json_reply(list_json(rows)));
  call.reply(json_reply(rows.empty() ? Json::object() : feedback_json(rows.front())));
}

void remove_feedback(Service& service, const Call& call) {
  const Named named(call);
  const LiveUser user = service.store.user(named.user);
  const size_t rows = rows_of(user, named.filter).size();
  const auto recommender = service.bundle.now();
  const auto trained = recommender->bundle().events_of(named.user);
  const bool learnt = !user.history.erased && std::ranges::any_of(trained, [&](auto& event) {
    return event.item == *named.filter.item;
  });
  if (rows == 0 && learnt) {
    return call.reply(problem(501, "the bundle that is served was trained with this event",
                              "erase the user, or train a bundle without it"));
  }
  if (rows == 0) return call.reply(affected(0));
  write(service, call, {store::RemoveEvents{named.user, *named.filter.item, named.filter.type}},
        rows);
}

void of_user(Service& service, const Call& call) {
  Filter filter;
  if (call.ids.size() > 1) filter.type = call.ids[1];
  call.reply(json_reply(list_json(rows_of(service.store.user(call.ids[0]), filter))));
}

void of_item(Service& service, const Call& call) {
  Filter filter{.item = call.ids[0]};
  if (call.ids.size() > 1) filter.type = call.ids[1];
  call.reply(json_reply(list_json(rows_after(service, {}, kMostListed, filter))));
}

constexpr GorseCall kFeedbackCalls[] = {
    {"POST", "/api/feedback", Scope::kWrite, "Insert feedback; values of the same add up.",
     [](Service& service, const Call& call) { insert_feedback(service, call, false); }},
    {"PUT", "/api/feedback", Scope::kWrite, "Insert feedback in the place of the same.",
     [](Service& service, const Call& call) { insert_feedback(service, call, true); }},
    {"GET", "/api/feedback", Scope::kRead, "List feedback (n, cursor).", list_feedback},
    {"GET", "/api/feedback/{feedback-type}", Scope::kRead, "List feedback of a type.",
     list_feedback},
    {"GET", "/api/feedback/{user-id}/{item-id}", Scope::kRead, "Between a user and an item.",
     get_feedback},
    {"GET", "/api/feedback/{feedback-type}/{user-id}/{item-id}", Scope::kRead,
     "The same of one type; {} where there is none.", get_feedback},
    {"DELETE", "/api/feedback/{user-id}/{item-id}", Scope::kWrite,
     "Remove it; 501 where only the bundle that is served has it.", remove_feedback},
    {"DELETE", "/api/feedback/{feedback-type}/{user-id}/{item-id}", Scope::kWrite,
     "The same of one type.", remove_feedback},
    {"GET", "/api/user/{user-id}/feedback", Scope::kRead, "A user's.", of_user},
    {"GET", "/api/user/{user-id}/feedback/{feedback-type}", Scope::kRead, "A user's, of a type.",
     of_user},
    {"GET", "/api/item/{item-id}/feedback", Scope::kRead, "Everybody's on an item.", of_item},
    {"GET", "/api/item/{item-id}/feedback/", Scope::kRead, "The same.", of_item},
    {"GET", "/api/item/{item-id}/feedback/{feedback-type}", Scope::kRead, "Of a type.", of_item},
};

}  // namespace

std::span<const GorseCall> feedback_calls() { return kFeedbackCalls; }

}  // namespace podium::serve::gorse
