#include "podium/store/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/rng.h"

namespace podium::store {
namespace {

constexpr int64_t kMask = (int64_t{1} << 62) - 1;  // so that two sums fit into an integer

int64_t hash_of(const Row& row) {
  uint64_t hash = stable_hash(row.id, uint64_t(row.offset));
  hash = stable_hash(row.item, hash ^ uint64_t(row.kind));
  return int64_t(stable_hash("", hash ^ uint64_t(row.time.value_or(0)))) & kMask;
}

// Of a check itself.
int64_t seal_of(std::string_view user, const Check& check) {
  const std::string text = fmt::format("{} {} {}", check.rows, check.sum, check.newest);
  return int64_t(stable_hash(text, stable_hash(user))) & kMask;
}

}  // namespace

void Check::add(const Row& row) {
  ++rows;
  sum = (sum + hash_of(row)) & kMask;
  const bool event = row.kind == kEvent || row.kind == kTypedEvent;
  if (event) newest = std::max(newest, row.time.value_or(0));
}

void Check::take(const Row& row) {
  --rows;
  sum = (sum - hash_of(row)) & kMask;
}

std::optional<std::string_view> checked_in(const Row& row) {
  switch (row.kind) {
    case kErase:
    case kPut:
    case kRemove:
      return kNobody;
    case kShown:
      return std::nullopt;
    default:
      return row.id;
  }
}

void fail_check(const Database& database, std::string_view user) {
  throw Error(ErrorKind::kCorrupt,
              user == kNobody ? "the items of the store are damaged"
                              : "what the store has of this user is damaged",
              "bring the file back from a backup (docs/operations.md)", database.file().string());
}

CheckReader::CheckReader(Database& database)
    : database_(database),
      find_(database, "SELECT rows, sum, newest, seal FROM checks WHERE id = ?") {}

Check CheckReader::find(std::string_view user) {
  find_.bind(1, user);
  if (!find_.step()) return {};
  const Check check{find_.number(0), find_.number(1), find_.number(2)};
  const int64_t seal = find_.number(3);
  find_.reset();
  if (seal != seal_of(user, check)) fail_check(database_, user);
  return check;
}

Checks::Checks(Database& database)
    : reader_(database),
      put_(database,
           "INSERT OR REPLACE INTO checks (id, rows, sum, newest, seal) VALUES (?, ?, ?, ?, ?)"),
      remove_(database, "DELETE FROM checks WHERE id = ?") {}

Check& Checks::of(std::string_view user) {
  const auto [found, fresh] = touched_.try_emplace(std::string(user));
  if (!fresh) return found->second;
  try {
    return found->second = reader_.find(user);
  } catch (...) {
    touched_.erase(found);
    throw;
  }
}

void Checks::add(const Row& row) {
  if (const auto user = checked_in(row)) of(*user).add(row);
}

void Checks::take(const Row& row) {
  if (const auto user = checked_in(row)) of(*user).take(row);
}

void Checks::write() {
  for (const auto& [user, check] : touched_) {
    if (check.rows == 0) {
      remove_.bind(1, user).run();
      continue;
    }
    put_.bind(1, user).bind(2, check.rows).bind(3, check.sum).bind(4, check.newest);
    put_.bind(5, seal_of(user, check)).run();
  }
  touched_.clear();
}

}  // namespace podium::store
