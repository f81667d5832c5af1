#include "podium/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::store {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMostChanges = 512;  // of one transaction, unless one append has more
constexpr std::chrono::seconds kRetryEvery{5};

ReadUser read_user(Reader& reader, std::string_view user) {
  ReadUser read;
  for (const Row& row : reader.history_of(user)) {
    read.state.apply(change_of(row));
    read.upto = row.offset;
  }
  return read;
}

}  // namespace

Store::Store(const fs::path& dir, StoreOptions options)
    : dir_(dir),
      options_(std::move(options)),
      lock_(dir / "lock"),
      log_(dir / kLogFile, options_.clocks),
      readers_(dir / kLogFile),
      users_(options_.hot_bytes,
             [this](std::string_view user) {
               return readers_.with([&](Reader& reader) { return read_user(reader, user); });
             }),
      shown_(options_.count_shown) {
  readers_.with([&](Reader& reader) {
    applied_ = reader.last();
    reader.items([&](const Row& row) {
      const Change change = change_of(row);
      if (const auto* erase = std::get_if<EraseUser>(&change)) {
        const WriterLock lock(erased_mutex_);
        erased_.insert(erase->user);
      } else {
        take_item(change);
      }
    });
  });
  count_shown();
  tend();
  writer_ = std::thread([this] { write_on(); });
}

// Impressions are for exploration alone: nobody's history is wrong without them, so what cannot be
// read of them is left out, and the server starts.
void Store::count_shown() {
  const auto take = [&](const Row& row) {
    if (row.kind != kEvent && row.kind != kTypedEvent && row.kind != kShown) return;
    try {
      shown_.apply(row.offset, change_of(row));
    } catch (const std::exception&) {
      log_info(fmt::format("change {} cannot be read and is not counted", row.offset));
    }
  };
  try {
    read_log(dir_ / kLogFile, take, std::max<Offset>(0, applied_ - options_.count_shown));
  } catch (const Error& error) {
    log_info(fmt::format("impressions are not all counted: {}", error.what()));
  }
  shown_.drop(applied_ - options_.count_shown);
}

Store::~Store() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  writer_.join();
}

void Store::submit(std::vector<Change> changes, std::string key, Done done) {
  PODIUM_CHECK(!changes.empty());
  {
    const MutexLock lock(mutex_);
    queue_.push_back({std::move(changes), std::move(key), std::move(done)});
  }
  changed_.notify_one();
}

Offset Store::append(std::vector<Change> changes, std::string key) {
  std::promise<Offset> promise;
  submit(std::move(changes), std::move(key), [&](Offset offset, const std::exception_ptr& error) {
    if (error) return promise.set_exception(error);
    promise.set_value(offset);
  });
  return promise.get_future().get();
}

// What is queued while one transaction is written makes the next one.
std::vector<Store::Job> Store::next_jobs() {
  size_t taken = 0, changes = 0;
  const MutexLock lock(mutex_);
  while (taken < queue_.size() && (taken == 0 || changes < kMostChanges)) {
    changes += queue_[taken++].changes.size();
  }
  const auto end = queue_.begin() + std::ptrdiff_t(taken);
  std::vector<Job> jobs(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return jobs;
}

void Store::write_on() {
  auto retry = steady_clock::now(), due = retry + options_.tend_every;
  while (true) {
    bool idle = false;
    {
      const auto until = log_.has_remains() ? std::min(due, retry) : due;
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_ && !idle) idle = !mutex_.wait_until(changed_, until);
      if (queue_.empty() && stopping_) return;
    }
    std::vector<Job> jobs = next_jobs();
    if (!jobs.empty()) write(jobs);
    if (log_.has_remains() && (erases(jobs) || steady_clock::now() >= retry)) {
      remove_remains(jobs);
      if (log_.has_remains()) retry = steady_clock::now() + kRetryEvery;
    }
    for (Job& job : jobs) job.done(job.added.last, job.error);
    if (steady_clock::now() >= due && tend()) due = steady_clock::now() + options_.tend_every;
  }
}

bool Store::tend() {
  try {
    const Log::Tended tended = log_.tend(options_.keep_days);
    users_.drop(tended.users);
    shown_.drop(tended.upto);
    return !tended.more;
  } catch (const Error& error) {  // tried again the next time
    log_info(fmt::format("what is too old stays for now: {}", error.what()));
    return true;
  }
}

void Store::write(std::span<Job> jobs) {
  try {
    {
      Log::Batch batch(log_);
      for (Job& job : jobs) {
        job.error = nullptr;
        try {
          job.added = batch.add(job.changes, job.key);
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kBadRequest) throw;
          job.error = std::current_exception();
        }
      }
      batch.commit();
    }
    for (const Job& job : jobs) {
      if (job.error || !job.added.anew) continue;
      Offset offset = job.added.first;
      for (const Change& change : job.changes) apply(offset++, change);
      applied_ = job.added.last;
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt && jobs.size() > 1) {  // one user's: not of the others
      for (size_t i = 0; i < jobs.size(); ++i) write(jobs.subspan(i, 1));
    } else {
      for (Job& job : jobs) job.error = std::current_exception();
    }
  } catch (...) {
    for (Job& job : jobs) job.error = std::current_exception();
  }
}

bool Store::erases(std::span<const Job> jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const Job& job) {
    return std::any_of(job.changes.begin(), job.changes.end(), [](const Change& change) {
      return std::holds_alternative<EraseUser>(change);
    });
  });
}

// Who asked for an erasure hears that it is not whole yet; it is tried again until it is.
void Store::remove_remains(std::span<Job> jobs) {
  try {
    log_.remove_remains();
  } catch (...) {
    for (Job& job : jobs) {
      if (!job.error && erases({&job, 1})) job.error = std::current_exception();
    }
  }
}

void Store::apply(Offset offset, const Change& change) {
  users_.apply(offset, change);
  shown_.apply(offset, change);
  if (const auto* erase = std::get_if<EraseUser>(&change)) {
    const WriterLock lock(erased_mutex_);
    erased_.insert(digest_of(erase->user));
  } else {
    take_item(change);
  }
}

void Store::take_item(const Change& change) {
  if (const auto* item = std::get_if<PutItem>(&change)) {
    items_.put({&item->item, 1});
  } else if (const auto* removed = std::get_if<RemoveItem>(&change)) {
    items_.remove(removed->id);
  }
}

void Store::add_event(std::string_view user, const serving::LiveEvent& event) {
  append({Event{std::string(user), event}});
}

serving::LiveHistory Store::history_of(std::string_view user) const {
  return told(user, users_.get(user)).history;
}

serving::LiveUser Store::user(std::string_view id) const { return told(id, users_.get(id)); }

std::vector<serving::LiveUser> Store::users_from(std::string_view id, size_t most) const {
  std::vector<serving::LiveUser> users;
  readers_.with([&](Reader& reader) {
    std::string from(id);
    while (users.size() < most) {
      const auto checks = reader.users_from(from, most);
      if (checks.empty()) return;
      for (const auto& one : checks) {
        if (users.size() == most) return;
        UserState state = read_user(reader, one.first).state;
        if (state.told || !state.events.empty()) users.push_back(told(one.first, std::move(state)));
      }
      from = checks.back().first + '\0';
    }
  });
  return users;
}

serving::LiveUser Store::told(std::string_view id, UserState state) const {
  return {std::string(id), {std::move(state.events), is_erased(id)}, std::move(state.told)};
}

bool Store::is_erased(std::string_view user) const {
  const ReaderLock lock(erased_mutex_);
  return !erased_.empty() && erased_.contains(digest_of(user));
}

void Store::erase_user(std::string_view user) { append({EraseUser{std::string(user)}}); }

void Store::put_items(std::span<const serving::LiveItem> items) {
  std::vector<Change> changes;
  for (const serving::LiveItem& item : items) changes.emplace_back(PutItem{item});
  if (!changes.empty()) append(std::move(changes));
}

bool Store::remove_item(std::string_view id) {
  if (!items_.find(id)) return false;
  append({RemoveItem{std::string(id)}});
  return true;
}

}  // namespace podium::store
