// The one exception of podium, and CHECK for programmer faults.
#pragma once

#include <stdexcept>
#include <string>

namespace podium {

// What went wrong, what to do about it, and where (file:line of the *input*, a path, a stage).
// Thrown on bad input, missing files, full disks; caught in the CLI's main, the C interface and
// the thread pool, and nowhere else.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message, std::string cure = "", std::string where = "");

  const std::string& message() const { return message_; }
  const std::string& cure() const { return cure_; }
  const std::string& where() const { return where_; }

 private:
  std::string message_, cure_, where_;
};

// Prints the failed condition with its place and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace podium

// For programmer faults only, never on input.
#define PODIUM_CHECK(condition) \
  ((condition) ? void(0) : ::podium::check_failed(#condition, __FILE__, __LINE__))
