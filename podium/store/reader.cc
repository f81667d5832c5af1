#include "podium/store/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "podium/base/error.h"

namespace podium::store {
namespace {

std::string rows_where(const std::string& condition) {
  return fmt::format("SELECT {} FROM log {}", kRowColumns, condition);
}

}  // namespace

Reader::Reader(const fs::path& file)
    : database_(Database::reader(file)),
      checks_(database_),
      history_(database_,
               rows_where(fmt::format("INDEXED BY log_history WHERE id = ? AND {} ORDER BY offset",
                                      kOfHistories))),
      users_(database_,
             "SELECT id, rows, sum, newest FROM checks WHERE id >= ? AND id > '' ORDER BY id "
             "LIMIT ?") {}

std::vector<Row> Reader::history_of(std::string_view user) {
  if (user == kNobody) return {};  // the check of that name is that of the items
  const Transaction snapshot(database_, Transaction::Use::kRead);
  std::vector<Row> rows;
  Check found;
  history_.bind(1, user);
  while (history_.step()) {
    rows.push_back(row_at(history_));
    found.add(rows.back());
  }
  if (!found.same_rows(checks_.find(user))) fail_check(database_, user);
  return rows;
}

void Reader::items(const std::function<void(const Row&)>& take) {
  const Transaction snapshot(database_, Transaction::Use::kRead);
  const std::string sql =
      rows_where(fmt::format("INDEXED BY log_items WHERE {} ORDER BY id, offset", kOfItems));
  Statement rows(database_, sql);
  Check found;
  while (rows.step()) {
    const Row row = row_at(rows);
    take_row(database_, row, take);
    found.add(row);
  }
  if (!found.same_rows(checks_.find(kNobody))) fail_check(database_, kNobody);
}

std::vector<std::pair<std::string, Check>> Reader::users_from(std::string_view id, size_t most) {
  std::vector<std::pair<std::string, Check>> users;
  users_.bind(1, id).bind(2, int64_t(most));
  while (users_.step()) {
    users.emplace_back(users_.text(0), Check{users_.number(1), users_.number(2), users_.number(3)});
  }
  return users;
}

Offset Reader::last() {
  const Offset told = database_.number("SELECT seq FROM sqlite_sequence WHERE name = 'log'");
  return std::max(told, database_.number("SELECT max(offset) FROM log"));
}

std::unique_ptr<Reader> Readers::take() {
  {
    const MutexLock lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Reader> reader = std::move(free_.back());
      free_.pop_back();
      return reader;
    }
  }
  return std::make_unique<Reader>(file_);
}

void Readers::give(std::unique_ptr<Reader> reader) {
  const MutexLock lock(mutex_);
  free_.push_back(std::move(reader));
}

void take_row(const Database& database, const Row& row,
              const std::function<void(const Row&)>& take) {
  try {
    take(row);
  } catch (const std::exception& problem) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("change {} of the store cannot be read: {}", row.offset, problem.what()),
        "bring the file back from a backup", database.file().string());
  }
}

bool read_log(const fs::path& file, const std::function<void(const Row&)>& take, Offset after) {
  constexpr int64_t kPiece = 10000;
  if (!fs::exists(file)) {
    throw Error(ErrorKind::kNotFound, "there is no log",
                "name the folder that `podium serve` keeps", file.string());
  }
  Database database = Database::reader(file);
  const int64_t version = checked_version(database);
  if (version == 0) return false;
  Statement rows(database, rows_where("WHERE offset > ? ORDER BY offset LIMIT ?"));
  Offset last = after;
  for (int64_t read = kPiece; read == kPiece;) {
    rows.bind(1, last).bind(2, kPiece);
    for (read = 0; rows.step(); ++read) {
      const Row row = row_at(rows);
      take_row(database, row, take);
      last = row.offset;
    }
  }
  return version >= kFirstChecked;
}

}  // namespace podium::store
