// SQLite as podium uses it: one connection to a file, statements prepared once, errors that say
// what to do. Not thread-safe: one thread, or a mutex, uses a connection and its statements.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "podium/base/files.h"

struct sqlite3;
struct sqlite3_stmt;

namespace podium::store {

class Database {
 public:
  // Creates the file where there is none. Debian 12's SQLite 3.40.1 can corrupt a write-ahead log
  // when two connections write or checkpoint at once: a file has one Database, in one process.
  explicit Database(const fs::path& file);
  // To read what another process writes; neither writes nor checkpoints. The file must be there.
  static Database reader(const fs::path& file) { return {file, Access::kRead}; }
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql);  // any number of statements, without rows
  int64_t number(const char* sql);   // the first column of the first row
  int64_t last_row() const;          // the row that the last insert made
  int64_t changed_rows() const;      // of the last insert, update or deletion
  // Moves the write-ahead log into the file and empties it, on the disk too. Waits a moment for
  // those who read; throws Error (kUnavailable) when they do not end.
  void empty_wal();
  sqlite3* handle() const { return handle_; }
  const fs::path& file() const { return file_; }

 private:
  enum class Access { kWrite, kRead };
  Database(const fs::path& file, Access access);

  fs::path file_;
  sqlite3* handle_ = nullptr;
};

// Throws what a result code of SQLite says.
[[noreturn]] void fail(const Database& database, int code);

class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters, from 1; what is not bound is null. Text is copied. A row that was stepped to is
  // left.
  Statement& bind(int place, std::string_view text);
  Statement& bind(int place, int64_t number);

  bool step();  // true: there is a row; false: done, and ready to be bound again
  void run();   // to its end, whatever it returns
  void reset();

  // Of the row, columns from 0; text is valid until the next step.
  std::string_view text(int column) const;
  int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// Rolls back unless it was committed.
class Transaction {
 public:
  enum class Use { kWrite, kRead };  // kRead: what is read is of one moment
  explicit Transaction(Database& database, Use use = Use::kWrite);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace podium::store
