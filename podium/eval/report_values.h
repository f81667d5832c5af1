// What both renderings of a report write alike: numbers, shares, counts of targets.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "podium/base/json.h"

namespace podium::eval {

inline std::string figure(const Json& value, int decimals = 4) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), decimals) : "–";
}

inline std::string percent(const Json& share) {
  return share.is_number() ? fmt::format("{:.1f} %", 100 * share.get<double>()) : "–";
}

inline size_t targets_of(const Json& report, std::string_view slice) {
  for (const Json& s : report.at("evaluation").at("slices")) {
    if (s.at("name") == slice) return s.at("targets").get<size_t>();
  }
  return 0;
}

}  // namespace podium::eval
