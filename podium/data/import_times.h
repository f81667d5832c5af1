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

enum class TimeForm : uint8_t { kNone, kSeconds, kMillis, kMicros, kNanos, kIso, kWords, kTicks };
inline constexpr size_t kTimeForms = 8;
std::string_view form_name(TimeForm form);  // "seconds", ..., "ISO 8601"

// nullopt: no time (form is kNone), not between the years 1900 and 5138, or a number (kTicks) that
// as nanoseconds lies in a few months of 1974 or 1990, but as ticks of Windows (100 ns since 1601)
// or .NET (since the year 1) in the years 1990 to 2040. Understood:
//   numbers   seconds under 10^11, milliseconds under 10^14, microseconds under 10^17, else
//             nanoseconds; fractions too, after a point or a comma
//   ISO 8601  2022-06-24, 2022/06/24, 20220624T, or 2022-06 for its first day; then T or a blank
//             and 21:20, 21:20:11, 2120, 212011, or seconds with a fraction; then nothing (UTC), Z,
//             UTC, GMT, +02, +0200, +02:00, a blank before it or not, or +0200 CEST (Go)
//   words     Tue, 03 Apr 2012 18:00:09 +0000 (RFC 2822), Tue Apr 03 18:00:09 +0000 2012, Apr 3,
//             2012: a month's English name tells it from the day. The weekday, the clock, its
//             seconds and the zone may be missing
std::optional<Moment> parse_time(std::string_view text, TimeForm& form);

// The seconds of a number that spells a date of the years 1900 to 2100: 20190131, 201901312359 or
// 20190131235959.
std::optional<int64_t> time_of_digits(int64_t number);

}  // namespace podium::data
