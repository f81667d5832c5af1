#include "podium/base/system_calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace podium {
namespace {

int open_file(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }

int exchange_paths(const char* a, const char* b) {  // glibc's renameat2 is missing elsewhere
  return int(::syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
}

constexpr SystemCalls kReal = {open_file, ::write, ::fsync, ::close, ::rename, exchange_paths};
const SystemCalls* g_calls = &kReal;

}  // namespace

const SystemCalls& real_system_calls() { return kReal; }

const SystemCalls& system_calls() { return *g_calls; }

void set_system_calls(const SystemCalls* calls) { g_calls = calls != nullptr ? calls : &kReal; }

bool write_fully(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = g_calls->write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}

}  // namespace podium
