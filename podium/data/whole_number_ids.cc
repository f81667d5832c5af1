#include "podium/data/whole_number_ids.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

namespace podium::data {
namespace {

// 10 of 10.0, 10.00; empty for every other id.
std::string_view whole_part(std::string_view id) {
  const size_t point = id.find('.');
  if (point == std::string_view::npos || point + 1 == id.size()) return "";
  if (id.find_first_not_of('0', point + 1) != std::string_view::npos) return "";
  const std::string_view whole = id.substr(0, point);
  const std::string_view digits = whole.substr(whole.starts_with('-') ? 1 : 0);
  const bool number =
      !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? whole : "";
}

// True when some id occurs as 10.0 and as 10.
bool both_spellings(const Interner& ids) {
  std::unordered_set<std::string_view> wholes;
  for (uint32_t i = 0; i < ids.size(); ++i) {
    if (const std::string_view whole = whole_part(ids.id(i)); !whole.empty()) wholes.insert(whole);
  }
  for (uint32_t i = 0; i < ids.size() && !wholes.empty(); ++i) {
    if (wholes.contains(ids.id(i))) return true;
  }
  return false;
}

}  // namespace

SameIds same_whole_numbers(Interner& ids) {
  SameIds same;
  if (!both_spellings(ids)) return same;
  const auto before = static_cast<uint32_t>(ids.size());
  for (uint32_t i = 0; i < before; ++i) {
    const std::string whole(whole_part(ids.id(i)));
    same.number.push_back(whole.empty() ? i : ids.number(whole));
    same.changed += whole.empty() ? 0 : 1;
  }
  for (auto i = before; i < ids.size(); ++i) same.number.push_back(i);
  return same;
}

}  // namespace podium::data
