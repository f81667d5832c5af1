// The log of a store: what happened, in order, in one SQLite file, with an index by which any
// user's part of it is read (reader.h). The interface knows no SQL, so that another database can
// take this one's place.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "podium/serving/request.h"
#include "podium/store/checks.h"
#include "podium/store/days.h"
#include "podium/store/sqlite.h"

namespace podium::store {

inline constexpr const char* kLogFile = "podium.sqlite";  // in a store's folder

struct Clocks {
  std::function<int64_t()> unix_time = {};  // of the world, which may jump; none: the system's
  std::function<serving::Clock::time_point()> now = serving::Clock::now;  // which never goes back
};

// Writes the log. Not thread-safe; one in one process for a file.
class Log {
 public:
  // Throws Error when the file is none of podium's, damaged, or of a newer version.
  Log(const fs::path& file, Clocks clocks);
  ~Log();

  // Changes that are committed together, and are durable when commit() returns. Without it nothing
  // of them stays.
  class Batch {
   public:
    explicit Batch(Log& log);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    struct Added {
      Offset first, last;
      bool anew;  // false: the key was used for these changes before, nothing is written
    };
    // What happens now gets its time. Throws Error when the key was used for other changes, and
    // writes nothing then.
    Added add(std::span<Change> changes, std::string_view key);
    void commit();

   private:
    Log& log_;
    Transaction transaction_;
    Offset first_ = 0;
  };

  // What was erased has been overwritten in its place in the file, and is still in the write-ahead
  // log, and here and there in the file (wipe.h).
  bool has_remains() const { return remains_; }
  // Removes it there, too, on the disk; reads the whole file. Throws Error (kUnavailable) while
  // another program reads.
  void remove_remains();

  // What has to be done once an hour: keys that are seven days old are forgotten and, where
  // keep_days is not 0, events and impressions that came more than so many days ago are dropped as
  // by an erasure; of many some at a time.
  struct Tended {
    std::vector<std::string> users = {};  // who lost some
    bool more = false;                    // it is not all yet
    Offset upto = 0;                      // all up to here that may be dropped is
  };
  Tended tend(int64_t keep_days);

 private:
  Offset write(Change& change);
  void supersede(const Row& row);
  void forget(const std::string& user);
  int64_t ran() const;  // seconds for which the log has been open, now and before
  void note_ran();
  Tended drop_older(int64_t keep_days);

  Clocks clocks_;
  Database database_;
  Statement insert_, forget_, forget_shown_, supersede_, find_key_, insert_key_;
  Checks checks_;
  Days days_;
  bool remains_ = false;
  Offset dropped_ = 0;  // of what may be dropped, all up to here is
  bool dropped_some_ = false;
  int64_t ran_before_ = 0;
  serving::Clock::time_point opened_;
};

}  // namespace podium::store
