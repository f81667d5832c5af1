// The log of a store: what happened, in order, in one SQLite file. The interface knows no SQL, so
// that another database can take this one's place.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "podium/serving/live_state.h"
#include "podium/store/sqlite.h"

namespace podium::store {

using Offset = int64_t;  // of a change in the log; grows, from 1

struct Event {
  std::string user;
  serving::LiveEvent event;
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
  bool operator==(const Impression&) const = default;
};
using Change =
    std::variant<Event, EraseUser, PutItem, RemoveItem, Impression, RemoveEvents, PutUser>;

inline constexpr const char* kLogFile = "podium.sqlite";  // in a store's folder

// Every change in order, or those after one, of a log that somebody else may be writing: in short
// pieces, so that what is erased does not wait. Throws as Log's calls do, and when there is no such
// file.
void read_log(const fs::path& file, const std::function<void(Offset, const Change&)>& take,
              Offset after = 0);

// What is kept of an erased user's id.
std::string digest_of(std::string_view user);

// Not thread-safe.
class Log {
 public:
  // Throws Error when the file is none of podium's, damaged, or of a newer version.
  explicit Log(const fs::path& file);

  // Every change in order, streamed. Throws Error (kCorrupt) on one that podium cannot have
  // written.
  void read(const std::function<void(Offset, const Change&)>& take);

  // Changes that are committed together, and are durable when commit() returns. Without it nothing
  // of them stays.
  class Batch {
   public:
    explicit Batch(Log& log);
    struct Added {
      Offset offset;  // of the last change
      bool anew;      // false: the key was used for these changes before, nothing is written
    };
    // Throws Error when the key was used for other changes, and writes nothing then.
    Added add(std::span<const Change> changes, std::string_view key);
    void commit();

   private:
    Log& log_;
    Transaction transaction_;
    bool erases_ = false;
  };

 private:
  Offset write(const Change& change);
  // A row of the log; without a time where there is none.
  void insert(int64_t kind, std::string_view id, std::string_view item,
              std::optional<int64_t> time = {});

  Database database_;
  Statement insert_, forget_, find_key_, insert_key_;
};

}  // namespace podium::store
