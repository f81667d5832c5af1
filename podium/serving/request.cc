#include "podium/serving/request.h"

#include <fmt/format.h>

#include <algorithm>

namespace podium::serving {

std::string id_problem(std::string_view id) {
  if (id.empty()) return "is empty";
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  if (size_t(std::ranges::count_if(id, starts)) > kMostIdLength) {
    return fmt::format("is longer than {} characters", kMostIdLength);
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return std::ranges::any_of(id, control) ? "holds control characters" : "";
}

}  // namespace podium::serving
