#include "podium/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace podium {
namespace {

std::string full_text(const std::string& message, const std::string& cure,
                      const std::string& where) {
  std::string text = message;
  if (!where.empty()) text += " (" + where + ")";
  if (!cure.empty()) text += "; " + cure;
  return text;
}

}  // namespace

Error::Error(std::string message, std::string cure, std::string where)
    : Error(ErrorKind::kBadRequest, std::move(message), std::move(cure), std::move(where)) {}

Error::Error(ErrorKind kind, std::string message, std::string cure, std::string where)
    : std::runtime_error(full_text(message, cure, where)),
      kind_(kind),
      message_(std::move(message)),
      cure_(std::move(cure)),
      where_(std::move(where)) {}

ErrorKind kind_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::kBadRequest;
    default:
      return ErrorKind::kUnavailable;
  }
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "podium: CHECK failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace podium
