// The histories of users who were asked about lately, in memory; those of others are read when they
// are asked about.
//
//   history asked for ── in memory? ─ yes ─→ answered
//                             └ no ─→ read from the log, answered, kept
//   change committed ── in memory? ─ yes ─→ changed there
//                             └ no ─→ the log has it
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/by_string.h"
#include "podium/base/shared_mutex.h"
#include "podium/store/change.h"

namespace podium::store {

// What a user's rows make.
struct UserState {
  std::vector<serving::LiveEvent> events = {};  // oldest first, the newest kLiveEvents
  std::optional<std::string> told = {};         // JSON that a caller keeps of the user

  void apply(const Change& change);  // of this user
  size_t bytes() const;              // of memory, about
};
std::string_view user_of(const Change& change);  // whose history it changes; empty: nobody's

struct ReadUser {
  UserState state;
  Offset upto = 0;  // changes after this one are not in it
};

// Thread-safe.
class HotUsers {
 public:
  using Read = std::function<ReadUser(std::string_view user)>;

  // most: bytes, about; the user asked about last is kept in any case. read: gives what the log has
  // at a moment after it was called; may throw, and then get() does.
  HotUsers(size_t most, Read read) : most_(most), read_(std::move(read)) {}

  UserState get(std::string_view user);
  // After the log has it; offsets grow from call to call.
  void apply(Offset offset, const Change& change);
  // Whose rows have left the log otherwise than by a change.
  void drop(const std::vector<std::string>& users);
  size_t bytes() const { return bytes_; }
  size_t size() const;

 private:
  struct Entry {
    UserState state;
    Offset upto;
    size_t bytes;
    std::atomic<bool> asked{false};  // since it was last looked at to make room
    std::list<std::string_view>::iterator place;
  };

  void keep(std::string_view user, const ReadUser& read) PODIUM_REQUIRES(mutex_);
  void make_room() PODIUM_REQUIRES(mutex_);

  const size_t most_;
  const Read read_;
  mutable SharedMutex mutex_;
  ByString<Entry> users_ PODIUM_GUARDED_BY(mutex_);
  std::list<std::string_view> order_ PODIUM_GUARDED_BY(mutex_);  // of looking; keys of users_
  uint64_t changes_ PODIUM_GUARDED_BY(mutex_) = 0;
  std::atomic<size_t> bytes_{0};
};

}  // namespace podium::store
