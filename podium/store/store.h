// The live state, kept: an append-only log on disk, and in memory what every request needs of it.
//
//   append()/submit() ── a queue ── the writer's thread: many appends in one transaction, one sync
//                                      │ committed: nothing takes it back, no kill, no power cut
//                                      ▼
//                                   the state in memory, then done() with the offset
//
// Items and erasures are in memory, users' histories as hot_users.h says. A start reads the former
// alone, however long the log is: the log's index by user is as good as a snapshot, and is never
// older than the log. A folder belongs to one process at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "podium/base/file_lock.h"
#include "podium/base/mutex.h"
#include "podium/base/shared_mutex.h"
#include "podium/serving/live_state.h"
#include "podium/store/hot_users.h"
#include "podium/store/log.h"
#include "podium/store/reader.h"
#include "podium/store/shown.h"

namespace podium::store {

// Takes the offset of the last change, or what went wrong. Must not throw. Runs on the writer's
// thread, which it holds up.
using Done = std::function<void(Offset offset, const std::exception_ptr& error)>;

struct StoreOptions {
  size_t hot_bytes = size_t{256} << 20U;  // of memory for histories, about
  int64_t keep_days = 0;                  // of events and impressions; 0: for good
  int64_t count_shown = 200'000;          // of impressions, those among so many newest changes
  Clocks clocks = {};
  std::chrono::seconds tend_every{3600};  // Log::tend
};

class Store : public serving::LiveState {
 public:
  // Creates the folder's log where there is none. Throws Error when another process has it open,
  // when its file is another program's, damaged, or of a newer podium.
  explicit Store(const fs::path& dir, StoreOptions options = {});
  ~Store() override;  // what was submitted is written first

  // All changes or none; done is called once. key: of one append, sent again when its answer was
  // lost: it is then answered with the offset that it had, and nothing is written twice. The same
  // key with other changes is an Error. Empty: none.
  void submit(std::vector<Change> changes, std::string key, Done done);
  Offset append(std::vector<Change> changes, std::string key = {});  // waits

  const fs::path& dir() const { return dir_; }
  // Every change up to this offset is seen by readers.
  Offset applied() const { return applied_; }

  // LiveState; writing waits until it is durable. What reads a user throws Error (kCorrupt) when
  // what the log has of the user is damaged, and goes on for others.
  void add_event(std::string_view user, const serving::LiveEvent& event) override;
  serving::LiveHistory history_of(std::string_view user) const override;
  // The user's events leave the files, too. What stays is a digest of the id.
  void erase_user(std::string_view user) override;
  bool erased(std::string_view user) const override { return is_erased(user); }
  void put_items(std::span<const serving::LiveItem> items) override;
  bool remove_item(std::string_view id) override;
  std::vector<serving::LiveItem> items() const override { return items_.all(); }
  std::optional<serving::LiveItem> item(std::string_view id) const override {
    return items_.find(id);
  }
  std::vector<serving::ShownCounts> shown(std::span<const std::string_view> ids) const override {
    return shown_.of(ids);
  }

  serving::LiveUser user(std::string_view id) const;
  // Of whom something is known, in order of id, from the first that is not before `id` on. Read
  // from the disk.
  std::vector<serving::LiveUser> users_from(std::string_view id, size_t most) const;

  size_t hot_bytes() const { return users_.bytes(); }

 private:
  struct Job {
    std::vector<Change> changes;
    std::string key;
    Done done;
    Log::Batch::Added added = {};
    std::exception_ptr error = {};
  };

  void count_shown();
  void write_on();
  bool tend();  // false: there is more to do
  std::vector<Job> next_jobs();
  void write(std::span<Job> jobs);
  void remove_remains(std::span<Job> jobs);
  static bool erases(std::span<const Job> jobs);
  void apply(Offset offset, const Change& change);
  void take_item(const Change& change);
  serving::LiveUser told(std::string_view id, UserState state) const;
  bool is_erased(std::string_view user) const;

  const fs::path dir_;
  const StoreOptions options_;
  FileLock lock_;
  Log log_;                  // the writer's
  mutable Readers readers_;  // closed before the log
  mutable HotUsers users_;
  serving::LiveItems items_;
  Shown shown_;
  mutable SharedMutex erased_mutex_;                                         // every request reads
  std::unordered_set<std::string> erased_ PODIUM_GUARDED_BY(erased_mutex_);  // digests of users
  std::atomic<Offset> applied_{0};

  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> queue_ PODIUM_GUARDED_BY(mutex_);
  bool stopping_ PODIUM_GUARDED_BY(mutex_) = false;
  std::thread writer_;  // last: it uses the others
};

}  // namespace podium::store
