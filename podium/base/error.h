// The one exception of podium with its kinds, and CHECK for programmer faults.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace podium {

// Whose fault it is, and so who can mend it. Exit codes (base/program.h), the C interface's codes
// and HTTP statuses follow from it, each in one table.
enum class ErrorKind : uint8_t {
  kBadRequest,   // options, input files or requests that cannot be used as they are
  kNotFound,     // a file, a user, an item, a stage that is not there
  kUnavailable,  // the machine refused: disk full, no permission, locked, no memory, too busy
  kCorrupt,      // files that podium wrote and that are no longer what it wrote
  kInterrupted,  // Ctrl-C, SIGTERM or SIGHUP
  kInternal      // a fault of podium's own
};

// What went wrong, what to do about it, and where (file:line of the *input*, a path, a stage).
// Thrown on bad input, missing files, full disks; caught in the CLI's main, the C interface and
// the thread pool, and nowhere else.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message, std::string cure = "", std::string where = "");
  Error(ErrorKind kind, std::string message, std::string cure = "", std::string where = "");

  ErrorKind kind() const { return kind_; }  // kBadRequest unless told
  const std::string& message() const { return message_; }
  const std::string& cure() const { return cure_; }
  const std::string& where() const { return where_; }

 private:
  ErrorKind kind_;
  std::string message_, cure_, where_;
};

// The kind of a failed system call: kNotFound for ENOENT and ENOTDIR, kBadRequest for EISDIR and
// names that are too long, else kUnavailable.
ErrorKind kind_of_errno(int number);

// Prints the failed condition with its place and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace podium

// For programmer faults only, never on input.
#define PODIUM_CHECK(condition) \
  ((condition) ? void(0) : ::podium::check_failed(#condition, __FILE__, __LINE__))
