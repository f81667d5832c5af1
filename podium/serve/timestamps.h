// Times as texts: of dates, and of Gorse's clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podium::serve {

// Unix seconds of "2024-02-29T12:30:00.5+01:00" (RFC 3339), whose T may be a space, and whose zone
// (UTC then), seconds' fraction, seconds or whole time of day may be missing. Nothing when it is no
// such text, or no day of the calendar.
std::optional<int64_t> seconds_of(std::string_view text);
// "2024-02-29T11:30:00Z"; the year is 1 to 9999, and what lies outside is cut off.
std::string timestamp_of(int64_t seconds);

// Whole seconds of a length of time as Go writes it: "1h30m", "1.5h", "0". Not negative.
std::optional<int64_t> duration_of(std::string_view text);

}  // namespace podium::serve
