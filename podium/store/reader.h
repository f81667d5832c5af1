// Reads a log beside the one who writes it, who may be in another process. Neither writes nor
// checkpoints nor maps.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/store/checks.h"
#include "podium/store/schema.h"

namespace podium::store {

// Of a log that has checks. Not thread-safe. All throw Error (kCorrupt) when what they read is not
// what was written. The file must be there.
class Reader {
 public:
  explicit Reader(const fs::path& file);

  // What makes the user's history, in order.
  std::vector<Row> history_of(std::string_view user);
  // Items and erasures; those of an item in order. What is wrong may be told when `take` has had
  // all.
  void items(const std::function<void(const Row&)>& take);
  // Those who have a history, in order of id, from the first that is not before `id` on.
  std::vector<std::pair<std::string, Check>> users_from(std::string_view id, size_t most);
  Offset last();  // ever given

 private:
  Database database_;
  CheckReader checks_;
  Statement history_, users_;
};

// Readers of one file for many threads. Thread-safe.
class Readers {
 public:
  explicit Readers(fs::path file) : file_(std::move(file)) {}

  // A reader for this call alone.
  template <class Work>
  auto with(Work work) {
    std::unique_ptr<Reader> reader = take();
    struct Back {
      Readers& readers;
      std::unique_ptr<Reader>& reader;
      ~Back() { readers.give(std::move(reader)); }
    } const back{*this, reader};
    return work(*reader);
  }

 private:
  std::unique_ptr<Reader> take();
  void give(std::unique_ptr<Reader> reader);

  const fs::path file_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Reader>> free_ PODIUM_GUARDED_BY(mutex_);
};

// Every row in order, or those after one, whatever the log's version: in short pieces, so that what
// the writer erases does not wait. Throws Error when there is no such file, and (kCorrupt) when a
// row cannot be taken for what it says. Returns whether a Reader reads this log, too.
bool read_log(const fs::path& file, const std::function<void(const Row&)>& take, Offset after = 0);

// Calls take(row); what it throws becomes an Error (kCorrupt).
void take_row(const Database& database, const Row& row,
              const std::function<void(const Row&)>& take);

}  // namespace podium::store
