// What SQLite leaves of rows that are deleted, `secure_delete` or not.
#pragma once

#include "podium/store/sqlite.h"

namespace podium::store {

// When SQLite splits or merges pages it leaves copies of rows in the part of a page that is not in
// use, and does not know of them when the rows are deleted. This overwrites those parts in the
// file, on the disk too; it reads the whole file. To be called on the connection that writes,
// outside a transaction, when the write-ahead log is empty: what it changes nobody reads. Throws
// Error when the disk does not take it.
void wipe_unused(Database& database);

}  // namespace podium::store
