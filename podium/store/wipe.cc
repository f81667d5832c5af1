#include "podium/store/wipe.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>

namespace podium::store {
namespace {

// Numbers of pages above this one can begin as a page of rows does: see unused_of().
constexpr int64_t kMostPages = int64_t{1} << 25U;
constexpr size_t kAtOnce = 256;  // pages

struct Part {
  size_t begin = 0, end = 0;
};

// The part of a page between the places of its rows and the rows, by SQLite's file format; empty in
// pages without rows, which begin with the number of a page, whose first byte is 0 or 1.
Part unused_of(std::string_view page, bool first) {
  const auto number = [&](size_t at) {
    return size_t(uint8_t(page[at])) << 8U | size_t(uint8_t(page[at + 1]));
  };
  const size_t header = first ? 100 : 0;
  const auto kind = uint8_t(page[header]);
  const bool inner = kind == 2 || kind == 5, leaf = kind == 10 || kind == 13;
  if (!inner && !leaf) return {};
  const size_t begin = header + (inner ? 12 : 8) + 2 * number(header + 3);
  const size_t rows = number(header + 5);
  const size_t end = rows == 0 ? 65536 : rows;
  return begin < end && end <= page.size() ? Part{begin, end} : Part{};
}

}  // namespace

void wipe_unused(Database& database) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  const auto check = [&](int code) {
    if (code != SQLITE_OK) fail(database, code);
  };
  const auto size = size_t(database.number("PRAGMA page_size"));
  sqlite3_int64 bytes = 0;
  check(file->pMethods->xFileSize(file, &bytes));
  const auto pages = size_t(bytes) / size;
  if (int64_t(pages) >= kMostPages) return;
  std::string read(kAtOnce * size, '\0'), zeros(size, '\0');
  bool written = false;
  for (size_t from = 0; from < pages; from += kAtOnce) {
    const size_t count = std::min(kAtOnce, pages - from);
    check(file->pMethods->xRead(file, read.data(), int(count * size), int64_t(from * size)));
    for (size_t i = 0; i < count; ++i) {
      const std::string_view page = std::string_view(read).substr(i * size, size);
      const Part part = unused_of(page, from + i == 0);
      const size_t length = part.end - part.begin;
      if (page.substr(part.begin, length).find_first_not_of('\0') == std::string_view::npos) {
        continue;
      }
      const auto at = int64_t((from + i) * size + part.begin);
      check(file->pMethods->xWrite(file, zeros.data(), int(length), at));
      written = true;
    }
  }
  if (written) check(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL));
  sqlite3_db_release_memory(database.handle());  // pages in memory have the same copies
}

}  // namespace podium::store
