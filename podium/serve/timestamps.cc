#include "podium/serve/timestamps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace podium::serve {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

// Reads a text from its beginning.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_any(std::string_view characters) {
    return std::ranges::any_of(characters, [&](char c) { return take(c); });
  }
  // Exactly so many digits.
  std::optional<int> digits(size_t count) {
    int value = 0;
    if (rest_.size() < count) return std::nullopt;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  size_t skip_digits() {
    const size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

// ":30" at the reader, at most `most`.
std::optional<int> part_of(Reader& reader, int most) {
  const auto value = reader.take(':') ? reader.digits(2) : std::nullopt;
  return value && *value <= most ? value : std::nullopt;
}

// "12:30:00.5" in seconds, its fraction left out.
std::optional<int64_t> time_of_day(Reader& reader) {
  const auto hours = reader.digits(2);
  const auto minutes = part_of(reader, 59);
  if (!hours || *hours > 23 || !minutes) return std::nullopt;
  int64_t seconds = *hours * 3600 + *minutes * 60;
  Reader ahead = reader;
  if (ahead.take(':')) {
    const auto told = part_of(reader, 60);  // 60: a leap second
    if (!told) return std::nullopt;
    seconds += *told;
    if (reader.take_any(".,") && reader.skip_digits() == 0) return std::nullopt;
  }
  return seconds;
}

// "+01:00", "Z" or nothing, in seconds.
std::optional<int64_t> zone(Reader& reader) {
  if (reader.take_any("Zz")) return 0;
  const bool east = reader.take('+');
  if (!east && !reader.take('-')) return 0;
  const auto hours = reader.digits(2);
  reader.take(':');
  const auto minutes = reader.done() ? 0 : reader.digits(2);
  if (!hours || *hours > 23 || !minutes || *minutes > 59) return std::nullopt;
  return (east ? 1 : -1) * int64_t{*hours * 3600 + *minutes * 60};
}

}  // namespace

std::optional<int64_t> seconds_of(std::string_view text) {
  Reader reader(text);
  const auto year = reader.digits(4);
  const auto month = reader.take('-') ? reader.digits(2) : std::nullopt;
  const auto day = reader.take('-') ? reader.digits(2) : std::nullopt;
  if (!year || !month || !day) return std::nullopt;
  const year_month_day date{std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                            std::chrono::day(unsigned(*day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = sys_days(date).time_since_epoch().count() * int64_t{86400};
  if (reader.done()) return days;
  if (!reader.take_any("Tt ")) return std::nullopt;
  const auto time = time_of_day(reader);
  if (!time) return std::nullopt;
  reader.take(' ');
  const auto east = zone(reader);
  if (!east || !reader.done()) return std::nullopt;
  return days + *time - *east;
}

std::string timestamp_of(int64_t seconds) {
  constexpr int64_t kFirst = -62'135'596'800, kLast = 253'402'300'799;  // of years 1 and 9999
  const std::chrono::seconds since(std::clamp(seconds, kFirst, kLast));
  const auto days = std::chrono::floor<std::chrono::days>(since);
  const year_month_day date{sys_days(days)};
  const int64_t time = (since - days).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), time / 3600, time / 60 % 60,
                     time % 60);
}

std::optional<int64_t> duration_of(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"ns", 1e-9},
                                                                                 {"us", 1e-6},
                                                                                 {"µs", 1e-6},
                                                                                 {"μs", 1e-6},
                                                                                 {"ms", 1e-3},
                                                                                 {"s", 1},
                                                                                 {"m", 60},
                                                                                 {"h", 3600}}};
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  while (!text.empty()) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (code != std::errc() || !(number >= 0 && number < 1e12)) return std::nullopt;
    text.remove_prefix(size_t(stop - text.data()));
    const size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view name = text.substr(0, letters);
    const auto* const unit =
        std::ranges::find(kUnits, name, &std::pair<std::string_view, double>::first);
    if (unit == kUnits.end()) return std::nullopt;
    seconds += number * unit->second;
    text.remove_prefix(letters);
  }
  if (seconds > 1e12) return std::nullopt;
  return int64_t(seconds);
}

}  // namespace podium::serve
