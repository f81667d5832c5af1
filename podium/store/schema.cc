#include "podium/store/schema.h"

#include <fmt/format.h>

#include "podium/base/error.h"
#include "podium/store/checks.h"

namespace podium::store {
namespace {

constexpr int64_t kApplication = 0x706F6431;  // "pod1", in the file's header
// 2: impressions; 3: types of events, facts of users; 4: checks, an index for each reader, clocks
constexpr int64_t kVersion = 4;

// EXTRA is FULL, and syncs the folder when the journal is removed under which a new file was made:
// a power cut could bring it back, and with it the empty file.
constexpr const char* kSetUp = R"(
  PRAGMA synchronous = EXTRA;
  PRAGMA journal_mode = WAL;
  PRAGMA secure_delete = ON;
  PRAGMA mmap_size = 0;
)";
constexpr const char* kSchema = R"(
  CREATE TABLE log (
    offset INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,      -- of the user or, of kinds 3 and 4, of the item
    item TEXT,             -- of kind 1 the item's id, of others what they tell, as JSON
    time INTEGER           -- of an event or an impression, unix seconds
  ) STRICT;
  CREATE TABLE keys (
    key TEXT PRIMARY KEY,  -- digests: of the key, of its changes
    changes TEXT NOT NULL,
    offset INTEGER NOT NULL,
    time INTEGER NOT NULL  -- by the table ran
  ) STRICT, WITHOUT ROWID;
)";
constexpr const char* kSince4 = R"(
  CREATE INDEX log_history ON log (id) WHERE kind IN (1, 6, 7, 8);
  CREATE INDEX log_items ON log (id) WHERE kind IN (2, 3, 4);
  CREATE INDEX log_shown ON log (id) WHERE kind = 5;
  CREATE TABLE checks (    -- checks.h
    id TEXT PRIMARY KEY,
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    seal INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ran (seconds INTEGER NOT NULL) STRICT;  -- for how long the log has been open, in all
  INSERT INTO ran VALUES (0);
  CREATE TABLE days (      -- on which something was written
    day INTEGER PRIMARY KEY,  -- since 1970
    first INTEGER NOT NULL,   -- offset
    ran INTEGER NOT NULL      -- then
  ) STRICT;
  UPDATE keys SET time = 0;
  CREATE INDEX keys_time ON keys (time);
)";

void add_checks(Database& database) {
  Checks checks(database);
  for (const char* const which : {kOfHistories, kOfItems}) {
    Statement rows(database,
                   fmt::format("SELECT {} FROM log WHERE {} ORDER BY id", kRowColumns, which));
    std::string user;  // whose rows are read
    while (rows.step()) {
      const Row row = row_at(rows);
      if (const std::string_view next = *checked_in(row); next != user) {
        checks.write();
        user = next;
      }
      checks.add(row);
    }
    checks.write();
  }
}

}  // namespace

Row row_at(const Statement& statement) {
  return {statement.number(0), statement.number(1), std::string(statement.text(2)),
          std::string(statement.text(3)), statement.number(4)};
}

int64_t checked_version(Database& database) {
  const bool empty = database.number("SELECT count(*) FROM sqlite_schema") == 0;
  const int64_t application = database.number("PRAGMA application_id");
  const int64_t version = database.number("PRAGMA user_version");
  if (application != kApplication && !(empty && application == 0)) {
    throw Error("the file is a database of another program", "choose another directory",
                database.file().string());
  }
  if (version > kVersion) {
    throw Error(fmt::format("the store is of version {}, this podium reads {}", version, kVersion),
                "use the podium that wrote it, or a newer one", database.file().string());
  }
  return empty ? 0 : version;
}

Database& prepared(Database& database) {
  const int64_t version = checked_version(database);
  database.run(kSetUp);
  if (version == kVersion) return database;
  {
    Transaction transaction(database);  // a kill leaves the file as it was, or whole
    if (version == 0) database.run(kSchema);
    if (version < kFirstChecked) {
      database.run("DROP INDEX IF EXISTS log_id");
      database.run(kSince4);
      add_checks(database);
    }
    const std::string ours = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                         kApplication, kVersion);
    database.run(ours.c_str());
    transaction.commit();
  }
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");  // which may be as large as the file
  return database;
}

}  // namespace podium::store
