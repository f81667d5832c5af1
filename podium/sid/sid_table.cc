#include "podium/sid/sid_table.h"

#include <fmt/format.h>

#include <set>

namespace podium::sid {

double SidTable::uniqueness() const {
  std::set<std::vector<uint16_t>> distinct;
  for (uint32_t i = 0; i < items(); ++i) distinct.emplace(of(i).begin(), of(i).end());
  return items() == 0 ? 0 : double(distinct.size()) / double(items());
}

std::string spell(std::span<const uint16_t> codes) {
  std::string text;
  for (size_t level = 0; level < codes.size(); ++level) {
    text += fmt::format("<s_{}_{}>", char('a' + level), codes[level]);
  }
  return text;
}

std::string SidTable::spell(uint32_t item) const { return sid::spell(of(item)); }

}  // namespace podium::sid
