// The system calls by which podium changes files, as a table, so that tests can let each of them
// fail or stop. Only files.cc and temporary_dir.cc call them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace podium {

// Each as its manual page says: -1 and errno on failure.
struct SystemCalls {
  int (*open)(const char* path, int flags, mode_t mode);
  ssize_t (*write)(int file, const void* bytes, size_t count);
  int (*fsync)(int file);
  int (*close)(int file);
  int (*rename)(const char* from, const char* to);
  int (*exchange)(const char* a, const char* b);  // renameat2 with RENAME_EXCHANGE
};

const SystemCalls& real_system_calls();

// The table in use: the real one unless a test has put another there. Not for use while other
// threads write files.
const SystemCalls& system_calls();
void set_system_calls(const SystemCalls* calls);  // null: the real ones again

// Writes all of it, in as many calls as it takes; false and errno on failure.
bool write_fully(int file, std::string_view bytes);

}  // namespace podium
