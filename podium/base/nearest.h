// "Did you mean": the name that a misspelt one was most likely meant to be.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace podium {

// Levenshtein's: characters to add, drop or change.
size_t edit_distance(std::string_view a, std::string_view b);

// The name with the smallest edit distance, the first of equals; "" without names.
std::string_view nearest(std::string_view name, std::span<const std::string_view> names);

}  // namespace podium
