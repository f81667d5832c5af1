// Times as tables and JSON write them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podium::data {

// A moment: Unix seconds, and what a finer clock adds, which orders the events of one second.
struct Moment {
  int64_t seconds = 0;
  uint32_t nanos = 0;  // < 1e9

  Moment() = default;
  Moment(int64_t s, uint32_t n = 0) : seconds(s), nanos(n) {}  // NOLINT: seconds are a moment
  auto operator<=>(const Moment&) const = default;
};

enum class TimeForm : uint8_t { kNone, kSeconds, kMillis, kMicros, kNanos, kIso };
inline constexpr size_t kTimeForms = 6;
std::string_view form_name(TimeForm form);  // "seconds", ..., "ISO 8601"

// nullopt: no time (form is kNone), or not between the years 1900 and 5138. Understood:
//   numbers   seconds under 10^11, milliseconds under 10^14, microseconds under 10^17, else
//             nanoseconds; fractions too
//   ISO 8601  2022-06-24, 2022/06/24, 20220624T, or 2022-06 for its first day; then T or a blank
//   and
//             21:20, 21:20:11, 2120, 212011, or seconds with a fraction; then nothing (UTC), Z,
//             UTC, GMT, +02, +0200 or +02:00, a blank before it or not
std::optional<Moment> parse_time(std::string_view text, TimeForm& form);

// The seconds of a number that spells a date of the years 1900 to 2100: 20190131, 201901312359 or
// 20190131235959.
std::optional<int64_t> time_of_digits(int64_t number);

}  // namespace podium::data
