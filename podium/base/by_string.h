// A map by strings that is asked with a string_view, without a copy of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace podium {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

template <class Value>
using ByString = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

}  // namespace podium
