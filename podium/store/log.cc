#include "podium/store/log.h"

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "podium/base/error.h"
#include "podium/store/schema.h"
#include "podium/store/wipe.h"

namespace podium::store {
namespace {

constexpr int64_t kKeysKept = 7 * 86400;  // seconds
constexpr int64_t kDroppedAtOnce = 2000;  // rows

Clocks with_defaults(Clocks clocks) {
  if (!clocks.unix_time) clocks.unix_time = [] { return int64_t(std::time(nullptr)); };
  return clocks;
}

}  // namespace

Log::Log(const fs::path& file, Clocks clocks)
    : clocks_(with_defaults(std::move(clocks))),
      database_(file),
      insert_(prepared(database_), "INSERT INTO log (kind, id, item, time) VALUES (?, ?, ?, ?)"),
      forget_(database_, "DELETE FROM log WHERE id = ? AND kind IN (1, 6, 7, 8)"),
      forget_shown_(database_, "DELETE FROM log WHERE id = ? AND kind = 5"),
      supersede_(database_,
                 "DELETE FROM log WHERE id = ? AND kind IN (2, 3, 4) AND (kind = 2) = ? "
                 "RETURNING offset, kind, id, item, time"),
      find_key_(database_, "SELECT changes, offset FROM keys WHERE key = ?"),
      insert_key_(database_, "INSERT INTO keys (key, changes, offset, time) VALUES (?, ?, ?, ?)"),
      checks_(database_),
      days_(database_),
      ran_before_(database_.number("SELECT seconds FROM ran")),
      opened_(clocks_.now()) {
  note_ran();  // who may not write hears it now
}

Log::~Log() {
  try {
    note_ran();
  } catch (const Error&) {  // keys are kept for longer
  }
}

int64_t Log::ran() const {
  const auto since = clocks_.now() - opened_;
  return ran_before_ + std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

void Log::note_ran() { Statement(database_, "UPDATE ran SET seconds = ?").bind(1, ran()).run(); }

Log::Tended Log::tend(int64_t keep_days) {
  Transaction transaction(database_);
  note_ran();
  Statement(database_, "DELETE FROM keys WHERE time < ?").bind(1, ran() - kKeysKept).run();
  Tended tended;
  if (keep_days > 0) tended = drop_older(keep_days);
  transaction.commit();
  dropped_some_ = dropped_some_ || !tended.users.empty();
  if (dropped_some_ && !tended.more) remains_ = true, dropped_some_ = false;
  return tended;
}

Log::Tended Log::drop_older(int64_t keep_days) {
  const int64_t today = days_.today(clocks_.unix_time(), ran());
  const Offset end = days_.first_since(today - keep_days);
  Statement rows(database_,
                 "DELETE FROM log WHERE offset IN (SELECT offset FROM log WHERE offset > ? AND "
                 "offset < ? AND kind IN (1, 5, 6, 7) ORDER BY offset LIMIT ?) "
                 "RETURNING offset, kind, id, item, time");
  rows.bind(1, dropped_).bind(2, end).bind(3, kDroppedAtOnce);
  std::set<std::string> users;
  int64_t count = 0;
  for (; rows.step(); ++count) {
    const Row row = row_at(rows);
    checks_.take(row);
    users.insert(row.id);
    dropped_ = std::max(dropped_, row.offset);
  }
  checks_.write();
  return {{users.begin(), users.end()}, count == kDroppedAtOnce, dropped_};
}

// A user's history and impressions leave the file; what stays is the change that says so.
void Log::forget(const std::string& user) {
  Check& check = checks_.of(user);
  forget_.bind(1, user).run();
  if (database_.changed_rows() != check.rows) fail_check(database_, user);  // some were not found
  check = {};
  forget_shown_.bind(1, user).run();
}

// What was told of an item before, or of an erasure, is of no use to anybody.
void Log::supersede(const Row& row) {
  supersede_.bind(1, row.id).bind(2, int64_t{row.kind == kErase});
  while (supersede_.step()) checks_.take(row_at(supersede_));
}

Offset Log::write(Change& change) {
  if (auto* const event = std::get_if<Event>(&change); event != nullptr && event->now) {
    event->event.time = std::max(clocks_.unix_time(), checks_.of(event->user).newest);
  } else if (auto* const shown = std::get_if<Impression>(&change); shown != nullptr && shown->now) {
    shown->time = clocks_.unix_time();
  } else if (const auto* const erase = std::get_if<EraseUser>(&change)) {
    forget(erase->user);
    remains_ = true;
  }
  Row row = row_of(change);
  if (row.kind == kPut || row.kind == kRemove || row.kind == kErase) supersede(row);
  insert_.bind(1, row.kind).bind(2, row.id).bind(3, row.item);
  if (row.time) insert_.bind(4, *row.time);
  insert_.run();
  row.offset = database_.last_row();
  checks_.add(row);
  return row.offset;
}

Log::Batch::Batch(Log& log) : log_(log), transaction_(log.database_) {}

Log::Batch::~Batch() { log_.checks_.drop(); }

Log::Batch::Added Log::Batch::add(std::span<Change> changes, std::string_view key) {
  const std::string name = key.empty() ? "" : sha256(key);
  const std::string told = key.empty() ? "" : digest_of(changes);
  if (!name.empty()) {
    log_.find_key_.bind(1, name);
    if (log_.find_key_.step()) {
      const std::string known(log_.find_key_.text(0));
      const Offset offset = log_.find_key_.number(1);
      log_.find_key_.reset();
      if (known == told) return {offset, offset, false};
      throw Error("the idempotency key was used for something else", "choose another key");
    }
  }
  Added added{0, 0, true};
  for (Change& change : changes) {
    added.last = log_.write(change);
    if (added.first == 0) added.first = added.last;
  }
  if (first_ == 0) first_ = added.first;
  if (!name.empty()) {
    log_.insert_key_.bind(1, name).bind(2, told).bind(3, added.last).bind(4, log_.ran()).run();
  }
  return added;
}

void Log::Batch::commit() {
  log_.checks_.write();
  if (first_ != 0) log_.days_.note(first_, log_.clocks_.unix_time(), log_.ran());
  transaction_.commit();
}

void Log::remove_remains() {
  database_.empty_wal();
  wipe_unused(database_);
  remains_ = false;
}

}  // namespace podium::store
