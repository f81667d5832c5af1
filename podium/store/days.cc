#include "podium/store/days.h"

#include <algorithm>

namespace podium::store {
namespace {

constexpr int64_t kHour = 3600, kDay = 24 * kHour;

}  // namespace

Days::Days(Database& database)
    : database_(database),
      newest_(database, "SELECT day, ran FROM days ORDER BY day DESC LIMIT 1"),
      ahead_(database, "SELECT min(first) FROM days WHERE day > ?"),
      forget_ahead_(database, "DELETE FROM days WHERE day > ?"),
      add_(database, "INSERT OR IGNORE INTO days (day, first, ran) VALUES (?, ?, ?)"),
      since_(database, "SELECT min(first) FROM days WHERE day >= ?") {}

int64_t Days::today(int64_t unix_time, int64_t ran) {
  const int64_t day = unix_time / kDay;
  if (!newest_.step()) return day;
  const int64_t most = newest_.number(0) + (ran - newest_.number(1)) / kHour;
  newest_.reset();
  return std::min(day, most);
}

void Days::note(Offset first, int64_t unix_time, int64_t ran) {
  const int64_t day = today(unix_time, ran);
  if (newest_.step()) {
    const int64_t newest = newest_.number(0);
    newest_.reset();
    if (newest == day) return;
    if (newest > day) {
      ahead_.bind(1, day).step();
      first = ahead_.number(0);
      forget_ahead_.bind(1, day).run();
    }
  } else {
    first = 0;  // what an older podium wrote came today, as far as anybody knows
  }
  add_.bind(1, day).bind(2, first).bind(3, ran).run();
}

Offset Days::first_since(int64_t day) {
  since_.bind(1, day);
  const bool some = since_.step() && !since_.is_null(0);
  const Offset first = some ? since_.number(0) : 0;
  since_.reset();
  return some ? first : database_.number("SELECT coalesce(max(offset), 0) + 1 FROM log");
}

}  // namespace podium::store
