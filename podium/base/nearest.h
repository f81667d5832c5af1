// "Did you mean": the name that a misspelt one was most likely meant to be.
#pragma once

#include <span>
#include <string_view>

namespace podium {

// The name with the smallest edit distance (Levenshtein), the first of equals; "" without names.
std::string_view nearest(std::string_view name, std::span<const std::string_view> names);

}  // namespace podium
