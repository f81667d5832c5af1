// System calls that fail or stop the process at a chosen place; for tests.
#pragma once

#include <unistd.h>

#include <cerrno>

#include "podium/base/system_calls.h"

namespace podium {

// While it lives, the n-th call of the table (from 0) fails with `error`, and with `kill` the
// process ends there as if killed: before the call, nothing cleaned up. One at a time.
class FaultyCalls {
 public:
  static constexpr int kNever = -1;
  static constexpr int kKilled = 77;  // exit status after `kill`

  FaultyCalls(int n, int error, bool kill = false, bool can_exchange = true) {
    state() = {n, 0, error, kill, can_exchange};
    static constexpr SystemCalls kFaulty = {open, write, fsync, close, rename, exchange};
    set_system_calls(&kFaulty);
  }
  ~FaultyCalls() { set_system_calls(nullptr); }
  FaultyCalls(const FaultyCalls&) = delete;
  FaultyCalls& operator=(const FaultyCalls&) = delete;

  static int calls() { return state().calls; }

 private:
  struct State {
    int n = kNever, calls = 0, error = 0;
    bool kill = false, can_exchange = true;
  };
  static State& state() {
    static State state;
    return state;
  }
  static bool fails() {
    if (state().calls++ != state().n) return false;
    if (state().kill) ::_exit(kKilled);
    errno = state().error;
    return true;
  }

  static int open(const char* path, int flags, mode_t mode) {
    return fails() ? -1 : real_system_calls().open(path, flags, mode);
  }
  static ssize_t write(int file, const void* bytes, size_t count) {
    if (fails()) return -1;
    return real_system_calls().write(file, bytes, count > 1 ? count / 2 : count);  // short writes
  }
  static int fsync(int file) { return fails() ? -1 : real_system_calls().fsync(file); }
  static int close(int file) {
    const int result = real_system_calls().close(file);  // it is closed whatever it tells
    return fails() ? -1 : result;
  }
  static int rename(const char* from, const char* to) {
    return fails() ? -1 : real_system_calls().rename(from, to);
  }
  static int exchange(const char* a, const char* b) {
    if (!state().can_exchange) {
      errno = EINVAL;
      return -1;
    }
    return fails() ? -1 : real_system_calls().exchange(a, b);
  }
};

}  // namespace podium
