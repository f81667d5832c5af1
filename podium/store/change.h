// What happens to the live state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/serving/live_state.h"

namespace podium::store {

using Offset = int64_t;  // of a change in the log; grows, from 1

struct Event {
  std::string user;
  serving::LiveEvent event;
  // It happens as it is written: its time is the clock's then, and not before any time that is
  // known of the user, so that a clock that went back puts nothing before what was.
  bool now = false;
  bool operator==(const Event&) const = default;
};
struct EraseUser {
  std::string user;  // read from the log: digest_of the id
  bool operator==(const EraseUser&) const = default;
};
struct PutItem {
  serving::LiveItem item;
  bool operator==(const PutItem&) const = default;
};
// Forgets a user's events of an item.
struct RemoveEvents {
  std::string user, item;
  std::optional<std::string> type = {};  // of this type alone
  bool operator==(const RemoveEvents&) const = default;
};
// What a caller keeps of a user, as JSON.
struct PutUser {
  std::string user, told;
  bool operator==(const PutUser&) const = default;
};
struct RemoveItem {
  std::string id;
  bool operator==(const RemoveItem&) const = default;
};
// What a user was shown.
struct Impression {
  std::string user;
  int64_t time = 0;                       // unix seconds
  std::vector<std::string> items;         // in the order shown
  std::vector<double> propensities = {};  // [items], in (0, 1], of each at its place; or none
  std::string request = {};               // whose answer it was, as the caller names it
  bool now = false;                       // its time is the clock's when it is written
  bool operator==(const Impression&) const = default;
};
using Change =
    std::variant<Event, EraseUser, PutItem, RemoveItem, Impression, RemoveEvents, PutUser>;

// What is kept of an erased user's id.
std::string digest_of(std::string_view user);
// What a repeated append is compared by: times of what happens as it is written are left out.
std::string digest_of(std::span<const Change> changes);

// A change as a row of the log.
enum Kind : int64_t {
  kEvent = 1,
  kErase = 2,
  kPut = 3,
  kRemove = 4,
  kShown = 5,
  kTypedEvent = 6,
  kRemoveEvents = 7,
  kPutUser = 8
};
struct Row {
  Offset offset = 0;
  int64_t kind = 0;
  std::string id = {};               // of the user or, of kPut and kRemove, of the item
  std::string item = {};             // of kEvent the item's id, of others what they tell, as JSON
  std::optional<int64_t> time = {};  // of an event or an impression, unix seconds
};
Row row_of(const Change& change);  // without an offset
// Throws what the JSON library throws, or Error, when it is no such row.
Change change_of(const Row& row);

}  // namespace podium::store
