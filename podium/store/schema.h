// The tables of a log's file, how older ones become them, and how rows are read.
#pragma once

#include "podium/store/change.h"
#include "podium/store/sqlite.h"

namespace podium::store {

// Rows of the log by what reads them, as conditions of SQL; each has an index by id.
inline constexpr const char* kOfHistories = "kind IN (1, 6, 7, 8)";
inline constexpr const char* kOfItems = "kind IN (2, 3, 4)";  // and of erasures
inline constexpr const char* kRowColumns = "offset, kind, id, item, time";

// The row at which a statement that selects kRowColumns stands.
Row row_at(const Statement& statement);

// Throws Error unless the file is a log of ours that we can read, or empty. Returns its version; 0:
// it is empty.
int64_t checked_version(Database& database);
inline constexpr int64_t kFirstChecked = 4;  // the version from which on there are checks

// The same database, checked to be ours, set up to be written, and made anew or raised to the
// newest version where it has to be.
Database& prepared(Database& database);

}  // namespace podium::store
