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

// A moment: Unix seconds, and what a finer clock adds, which orders the events of one second.
struct Moment {
  int64_t seconds = 0;
  uint32_t nanos = 0;  // < 1e9

  Moment() = default;
  Moment(int64_t s, uint32_t n = 0) : seconds(s), nanos(n) {}  // NOLINT: seconds are a moment
  auto operator<=>(const Moment&) const = default;
};

// nullopt: no time, or not between the years 1900 and 5138. Understood:
//   numbers   seconds under 10^11, milliseconds under 10^14, microseconds under 10^17, else
//             nanoseconds; fractions too
//   ISO 8601  2022-06-24, 2022/06/24, then T or a blank and 21:20, 21:20:11 or 21:20:11.5, then
//             nothing (UTC), Z, UTC, GMT, +02, +0200 or +02:00, a blank before it or not
std::optional<Moment> parse_time(std::string_view text);

// "$1,299.00" or "12.5"; NaN when there is no number. Of a range the lower end.
float parse_price(std::string_view text);

// Parts between separators, blanks around them and empty parts taken away. A text in brackets,
// ['Drama', "Crime"], is read as the list that it is.
std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace podium::data
