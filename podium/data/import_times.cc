#include "podium/data/import_times.h"

#include <charconv>
#include <chrono>
#include <cmath>

#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr int64_t kFirst = -2'208'988'800, kEnd = 100'000'000'000;  // 1900 to 5138
constexpr double kNanos = 1e9;
constexpr int kFirstYear = 1900, kLastYear = 2100;  // of dates without marks

std::optional<Moment> in_range(int64_t seconds, uint32_t nanos) {
  if (seconds < kFirst || seconds >= kEnd) return std::nullopt;
  return Moment(seconds, nanos);
}

std::optional<Moment> time_of_integer(int64_t value, TimeForm& form) {
  int64_t unit = 1;  // in a second
  form = TimeForm::kSeconds;
  const double size = std::abs(double(value));
  if (size >= 1e17) {
    unit = 1'000'000'000;
    form = TimeForm::kNanos;
  } else if (size >= 1e14) {
    unit = 1'000'000;
    form = TimeForm::kMicros;
  } else if (size >= 1e11) {
    unit = 1000;
    form = TimeForm::kMillis;
  }
  int64_t seconds = value / unit, rest = value % unit;
  if (rest < 0) --seconds, rest += unit;
  return in_range(seconds, static_cast<uint32_t>(rest * (1'000'000'000 / unit)));
}

std::optional<Moment> time_of_number(double value, TimeForm& form) {
  const double size = std::abs(value);
  form = size >= 1e17   ? TimeForm::kNanos
         : size >= 1e14 ? TimeForm::kMicros
         : size >= 1e11 ? TimeForm::kMillis
                        : TimeForm::kSeconds;
  if (size >= 1e20) return std::nullopt;
  const double seconds = size >= 1e17   ? value / 1e9
                         : size >= 1e14 ? value / 1e6
                         : size >= 1e11 ? value / 1e3
                                        : value;
  const double whole = std::floor(seconds);
  const double nanos = std::min((seconds - whole) * kNanos, kNanos - 1);
  return in_range(static_cast<int64_t>(whole), static_cast<uint32_t>(nanos));
}

// Seconds of a day's start.
std::optional<int64_t> day_start(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86400;
}

// Reads digits and marks from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool digit_ahead() const { return !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; }
  bool skip(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  // Exactly `digits` digits.
  bool number(size_t digits, int& value) {
    if (text_.size() < digits) return false;
    value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      value = 10 * value + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }
  // One digit or more as a fraction of a second; digits after the ninth are cut.
  bool fraction(uint32_t& nanos) {
    uint32_t unit = 100'000'000;
    bool any = false;
    for (; digit_ahead(); text_.remove_prefix(1)) {
      nanos += unit * static_cast<uint32_t>(text_[0] - '0');
      unit /= 10;
      any = true;
    }
    return any;
  }

 private:
  std::string_view text_;
};

bool read_date(Reader& in, int64_t& seconds) {
  int year = 0, month = 0, day = 1;
  if (!in.number(4, year)) return false;
  const char mark = in.skip('-') ? '-' : in.skip('/') ? '/' : '\0';
  if (!in.number(2, month)) return false;
  const bool month_only = mark != '\0' && in.done();
  if (!month_only && ((mark != '\0' && !in.skip(mark)) || !in.number(2, day))) return false;
  const auto start = day_start(year, month, day);
  seconds = start.value_or(0);
  return start.has_value();
}

bool read_clock(Reader& in, int64_t& seconds, uint32_t& nanos) {
  int hour = 0, minute = 0, second = 0;
  if (!in.number(2, hour)) return false;
  const bool marked = in.skip(':');
  if (!in.number(2, minute)) return false;
  if (marked ? in.skip(':') : in.digit_ahead()) {
    if (!in.number(2, second)) return false;
    if ((in.skip('.') || in.skip(',')) && !in.fraction(nanos)) return false;
  }
  if (hour > 23 || minute > 59 || second > 60) return false;  // 60: a leap second
  seconds += hour * 3600 + minute * 60 + second;
  return true;
}

bool read_zone(Reader& in, int64_t& seconds) {
  in.skip(' ');
  if (in.done() || in.skip('Z') || in.skip('z') || in.skip("UTC") || in.skip("GMT")) return true;
  const int sign = in.skip('+') ? 1 : in.skip('-') ? -1 : 0;
  int hours = 0, minutes = 0;
  if (sign == 0 || !in.number(2, hours)) return false;
  const bool colon = in.skip(':');
  if ((colon || !in.done()) && !in.number(2, minutes)) return false;
  seconds -= sign * (hours * 3600 + minutes * 60);
  return hours < 24 && minutes < 60;
}

std::optional<Moment> time_of_iso(std::string_view text, TimeForm& form) {
  Reader in(text);
  int64_t seconds = 0;
  uint32_t nanos = 0;
  if (!read_date(in, seconds)) return std::nullopt;
  if (!in.done()) {
    if (!in.skip('T') && !in.skip('t') && !in.skip(' ')) return std::nullopt;
    if (!read_clock(in, seconds, nanos) || !read_zone(in, seconds)) return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  form = TimeForm::kIso;
  return in_range(seconds, nanos);
}

}  // namespace

std::string_view form_name(TimeForm form) {
  constexpr std::string_view kNames[kTimeForms] = {"nothing",      "seconds",     "milliseconds",
                                                   "microseconds", "nanoseconds", "ISO 8601"};
  return kNames[size_t(form)];
}

std::optional<Moment> parse_time(std::string_view text, TimeForm& form) {
  text = trimmed(text);
  form = TimeForm::kNone;
  int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (const auto [at, code] = std::from_chars(text.data(), end, integer);
      code == std::errc() && at == end) {
    return time_of_integer(integer, form);
  }
  if (const auto number = parse_double(text)) return time_of_number(*number, form);
  return time_of_iso(text, form);
}

std::optional<int64_t> time_of_digits(int64_t number) {
  int64_t clock = 0;  // hhmmss
  if (number >= 10'000'000'000'000) {
    if (number >= 100'000'000'000'000) return std::nullopt;
    clock = number % 1'000'000;
    number /= 1'000'000;
  } else if (number >= 100'000'000'000) {
    if (number >= 1'000'000'000'000) return std::nullopt;
    clock = number % 10'000 * 100;
    number /= 10'000;
  }
  const int64_t year = number / 10'000, hour = clock / 10'000, minute = clock / 100 % 100;
  if (year < kFirstYear || year > kLastYear || hour > 23 || minute > 59 || clock % 100 > 59) {
    return std::nullopt;
  }
  const auto start = day_start(int(year), int(number / 100 % 100), int(number % 100));
  if (!start) return std::nullopt;
  return *start + hour * 3600 + minute * 60 + clock % 100;
}

}  // namespace podium::data
