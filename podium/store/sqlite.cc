#include "podium/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "podium/base/error.h"

namespace podium::store {
namespace {

constexpr int kWait = 2000;  // ms, for another connection

struct Meaning {
  ErrorKind kind;
  const char* cure;
};

Meaning meaning_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorKind::kUnavailable, "free space on the disk"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorKind::kUnavailable, "check the rights of the file and of its directory"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::kUnavailable, "end the other program that uses the file"};
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return {ErrorKind::kUnavailable, "check the disk, its space and the memory"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::kCorrupt, "bring the file back from a backup"};
    default:
      return {ErrorKind::kInternal, "report this with the message"};
  }
}

}  // namespace

void fail(const Database& database, int code) {
  const Meaning meaning = meaning_of(code);
  const char* const text = database.handle() ? sqlite3_errmsg(database.handle()) : nullptr;
  throw Error(meaning.kind,
              fmt::format("the store cannot be used: {}", text ? text : sqlite3_errstr(code)),
              meaning.cure, database.file().string());
}

Database::Database(const fs::path& file) : Database(file, Access::kWrite) {}

Database::Database(const fs::path& file, Access access) : file_(file) {
  const int how =
      access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file.c_str(), &handle_, how | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    try {
      fail(*this, code);
    } catch (...) {
      sqlite3_close(handle_);
      throw;
    }
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kWait);
  sqlite3_exec(handle_, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", nullptr, nullptr,
               nullptr);
  if (access == Access::kRead) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Database::~Database() { sqlite3_close(handle_); }

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(*this, code);
}

int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

int64_t Database::changed_rows() const { return sqlite3_changes64(handle_); }

void Database::empty_wal() {
  if (number("PRAGMA wal_checkpoint(TRUNCATE)") != 0) {
    throw Error(ErrorKind::kUnavailable,
                "another program reads the store: what was erased is still in its write-ahead log",
                "end the program, and erase again", file_.string());
  }
  // SQLite does not sync after it has emptied the log: a power cut would bring it back.
  sqlite3_file* wal = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (wal == nullptr || wal->pMethods == nullptr) return;
  const int code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) fail(*this, code);
}

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  const int code = sqlite3_prepare_v3(database.handle(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                      &handle_, nullptr);
  if (code != SQLITE_OK) fail(database, code);
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int place, std::string_view text) {
  if (sqlite3_stmt_busy(handle_) != 0) reset();
  const int code = sqlite3_bind_text64(handle_, place, text.data() ? text.data() : "", text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(database_, code);
  return *this;
}

Statement& Statement::bind(int place, int64_t number) {
  if (sqlite3_stmt_busy(handle_) != 0) reset();
  const int code = sqlite3_bind_int64(handle_, place, number);
  if (code != SQLITE_OK) fail(database_, code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  reset();
  if (code != SQLITE_DONE) fail(database_, code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

std::string_view Statement::text(int column) const {
  const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return bytes ? std::string_view(bytes, size_t(sqlite3_column_bytes(handle_, column)))
               : std::string_view();
}

int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_, column); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database, Use use) : database_(database) {
  database.run(use == Use::kRead ? "BEGIN" : "BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace podium::store
