// Values of cells and JSON fields, as importers read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace podium::data {

// Whole text as a finite number.
bool parse_float(std::string_view text, float& value);

// Unix seconds; a fraction is cut, milliseconds (over 10^11) are divided. nullopt: not a time
// between the years 1900 and 5138.
std::optional<int64_t> parse_time(std::string_view text);
std::optional<int64_t> time_of_number(double seconds);

// "$1,299.00" or "12.5"; NaN when there is no number. Of a range the lower end.
float parse_price(std::string_view text);

std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace podium::data
