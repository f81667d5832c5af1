#include "podium/store/store.h"

#include <future>
#include <iterator>
#include <utility>

#include "podium/base/error.h"

namespace podium::store {
namespace {

constexpr size_t kMostChanges = 512;  // of one transaction, unless one append has more

}  // namespace

Store::Store(const fs::path& dir) : dir_(dir), lock_(dir / "lock"), log_(dir / kLogFile) {
  log_.read([&](Offset offset, const Change& change) {
    if (const auto* erase = std::get_if<EraseUser>(&change)) {
      const WriterLock lock(erased_mutex_);
      erased_.insert(erase->user);
    } else {
      apply(change);
    }
    applied_ = offset;
  });
  writer_ = std::thread([this] { write_on(); });
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
void Store::write_on() {
  while (true) {
    std::vector<Job> jobs;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) mutex_.wait(changed_);
      if (queue_.empty()) return;
      size_t taken = 0, changes = 0;
      while (taken < queue_.size() && (taken == 0 || changes < kMostChanges)) {
        changes += queue_[taken++].changes.size();
      }
      const auto end = queue_.begin() + std::ptrdiff_t(taken);
      jobs.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
    }
    write(jobs);
    for (Job& job : jobs) job.done(job.added.offset, job.error);
  }
}

void Store::write(std::vector<Job>& jobs) {
  try {
    Log::Batch batch(log_);
    for (Job& job : jobs) {
      try {
        job.added = batch.add(job.changes, job.key);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kBadRequest) throw;
        job.error = std::current_exception();
      }
    }
    batch.commit();
    for (const Job& job : jobs) {
      if (job.error || !job.added.anew) continue;
      for (const Change& change : job.changes) apply(change);
      applied_ = job.added.offset;
    }
  } catch (...) {
    for (Job& job : jobs) job.error = std::current_exception();
  }
}

void Store::apply(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) {
    state_.add_event(event->user, event->event);
  } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
    state_.erase_user(erase->user);
    const WriterLock lock(erased_mutex_);
    erased_.insert(digest_of(erase->user));
  } else if (const auto* item = std::get_if<PutItem>(&change)) {
    state_.put_items({&item->item, 1});
  } else if (const auto* removed = std::get_if<RemoveItem>(&change)) {
    state_.remove_item(removed->id);
  } else if (const auto* events = std::get_if<RemoveEvents>(&change)) {
    state_.remove_events(events->user, events->item, events->type);
  } else if (const auto* user = std::get_if<PutUser>(&change)) {
    state_.put_user(user->user, user->told);
  }  // an impression changes no state: it is for those who read the log
}

void Store::add_event(std::string_view user, const serving::LiveEvent& event) {
  append({Event{std::string(user), event}});
}

serving::LiveHistory Store::history_of(std::string_view user) const {
  serving::LiveHistory history = state_.history_of(user);
  history.erased = history.erased || is_erased(user);
  return history;
}

serving::LiveUser Store::user(std::string_view id) const {
  serving::LiveUser user = state_.user(id);
  user.history.erased = user.history.erased || is_erased(id);
  return user;
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
  if (!state_.item(id)) return false;
  append({RemoveItem{std::string(id)}});
  return true;
}

std::vector<serving::LiveItem> Store::items() const { return state_.items(); }

std::optional<serving::LiveItem> Store::item(std::string_view id) const { return state_.item(id); }

}  // namespace podium::store
