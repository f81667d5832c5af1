// How damage is seen: for each user the number of rows of the history and a sum over them, kept
// beside the log and compared whenever they are read. A row that is missing, added or changed, and
// a check that is, are found; SQLite's own structure finds most of that too, but not all.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>

#include "podium/store/change.h"
#include "podium/store/sqlite.h"

namespace podium::store {

// Whose check is that of the items and the erasures, all together.
inline constexpr std::string_view kNobody = "";

struct Check {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  int64_t rows = 0;
  int64_t sum = 0;          // over the rows, whatever their order
  int64_t newest = kNever;  // the latest time of an event, ever

  void add(const Row& row);
  void take(const Row& row);
  bool same_rows(const Check& other) const { return rows == other.rows && sum == other.sum; }
};

// Whose check a row counts in; nothing: in none, as an impression, which nobody is served.
std::optional<std::string_view> checked_in(const Row& row);

// Throws Error (kCorrupt): what is in the file is not what was written.
[[noreturn]] void fail_check(const Database& database, std::string_view user);

// Reads checks. Not thread-safe.
class CheckReader {
 public:
  explicit CheckReader(Database& database);
  // Of who has none: no rows. Throws Error (kCorrupt) when it is damaged.
  Check find(std::string_view user);

 private:
  Database& database_;
  Statement find_;
};

// Those of a transaction, written when it ends. Not thread-safe.
class Checks {
 public:
  explicit Checks(Database& database);

  Check& of(std::string_view user);  // throws as CheckReader does
  void add(const Row& row);
  void take(const Row& row);
  void write();  // into the tables
  void drop() { touched_.clear(); }

 private:
  CheckReader reader_;
  Statement put_, remove_;
  std::unordered_map<std::string, Check> touched_;
};

}  // namespace podium::store
