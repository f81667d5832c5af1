// On which day what was written came, by a clock that may jump.
#pragma once

#include "podium/store/change.h"
#include "podium/store/sqlite.h"

namespace podium::store {

// The table `days`. Not thread-safe.
class Days {
 public:
  explicit Days(Database& database);

  // Days since 1970. Nothing becomes old because a clock jumps: the day goes forward by one for
  // each hour that the log is open, at most. A clock that goes back is followed at once.
  // ran: seconds for which the log has been open, in all.
  int64_t today(int64_t unix_time, int64_t ran);
  // What has this offset, or a later one, is written now. What came on days that lie ahead came
  // today, too: the clock was wrong.
  void note(Offset first, int64_t unix_time, int64_t ran);
  // All before this offset came before that day.
  Offset first_since(int64_t day);

 private:
  Database& database_;
  Statement newest_, ahead_, forget_ahead_, add_, since_;
};

}  // namespace podium::store
