#include "podium/data/import_times.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <span>

#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr int64_t kFirst = -2'208'988'800, kEnd = 100'000'000'000;  // 1900 to 5138
constexpr double kNanos = 1e9;
constexpr int kFirstYear = 1900, kLastYear = 2100;  // of dates without marks

// Numbers of 100 ns of the years 1990 to 2040: Windows counts from 1601, .NET from the year 1.
bool ticks(double value) {
  return (value >= 1.2275e17 && value < 1.3854e17) || (value >= 6.2766e17 && value < 6.4346e17);
}

std::optional<Moment> in_range(int64_t seconds, uint32_t nanos) {
  if (seconds < kFirst || seconds >= kEnd) return std::nullopt;
  return Moment(seconds, nanos);
}

// The unit of a number is told by its size.
TimeForm form_of(double value) {
  const double size = std::abs(value);
  return ticks(value)   ? TimeForm::kTicks
         : size >= 1e17 ? TimeForm::kNanos
         : size >= 1e14 ? TimeForm::kMicros
         : size >= 1e11 ? TimeForm::kMillis
                        : TimeForm::kSeconds;
}

int64_t in_a_second(TimeForm form) {
  return form == TimeForm::kNanos    ? 1'000'000'000
         : form == TimeForm::kMicros ? 1'000'000
         : form == TimeForm::kMillis ? 1000
                                     : 1;
}

std::optional<Moment> time_of_integer(int64_t value, TimeForm& form) {
  form = form_of(double(value));
  if (form == TimeForm::kTicks) return std::nullopt;
  const int64_t unit = in_a_second(form);
  int64_t seconds = value / unit, rest = value % unit;
  if (rest < 0) --seconds, rest += unit;
  return in_range(seconds, static_cast<uint32_t>(rest * (1'000'000'000 / unit)));
}

std::optional<Moment> time_of_number(double value, TimeForm& form) {
  form = form_of(value);
  if (std::abs(value) >= 1e20 || form == TimeForm::kTicks) return std::nullopt;
  const double seconds = value / double(in_a_second(form));
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
  // One of the names, or its first three letters; the place in the list, from 1. 0: none.
  int name(std::span<const std::string_view> names) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
    std::string word;
    while (word.size() < text_.size() && small(text_[word.size()]) >= 'a' &&
           small(text_[word.size()]) <= 'z') {
      word += small(text_[word.size()]);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      if (word != names[i] && word != names[i].substr(0, 3)) continue;
      text_.remove_prefix(word.size());
      return static_cast<int>(i) + 1;
    }
    return 0;
  }
  // Capital letters: the name of a zone.
  void skip_capitals() {
    while (!text_.empty() && text_[0] >= 'A' && text_[0] <= 'Z') text_.remove_prefix(1);
  }
  bool clock_ahead() const { return text_.size() > 2 && text_[2] == ':'; }
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

// As Go writes it, +0200 CEST; the name says nothing more.
bool read_zone_and_name(Reader& in, int64_t& seconds) {
  if (!read_zone(in, seconds)) return false;
  if (in.skip(' ')) {
    in.skip('(');
    in.skip_capitals();
    in.skip(')');
  }
  return true;
}

std::optional<Moment> time_of_iso(std::string_view text, TimeForm& form) {
  Reader in(text);
  int64_t seconds = 0;
  uint32_t nanos = 0;
  if (!read_date(in, seconds)) return std::nullopt;
  if (!in.done()) {
    if (!in.skip('T') && !in.skip('t') && !in.skip(' ')) return std::nullopt;
    if (!read_clock(in, seconds, nanos) || !read_zone_and_name(in, seconds)) {
      return std::nullopt;
    }
  }
  if (!in.done()) return std::nullopt;
  form = TimeForm::kIso;
  return in_range(seconds, nanos);
}

bool read_day(Reader& in, int& day) {
  in.skip(' ');  // "Apr  3"
  return in.number(2, day) || in.number(1, day);
}

bool date_mark(Reader& in) { return in.skip(' ') || in.skip('-'); }

// " +0000 " or " ".
bool zone_before_year(Reader& in, int64_t& seconds) {
  if (!in.skip(' ')) return false;
  return in.digit_ahead() || (read_zone(in, seconds) && in.skip(' '));
}

std::optional<Moment> time_of_words(std::string_view text, TimeForm& form) {
  static constexpr std::array<std::string_view, 7> kDays = {
      "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  Reader in(text);
  if (in.name(kDays) > 0 && (in.skip(','), !in.skip(' '))) return std::nullopt;
  int year = 0, day = 0, month = in.name(kMonths);
  const bool month_first = month > 0;
  if (month_first && !date_mark(in)) return std::nullopt;
  if (!read_day(in, day)) return std::nullopt;
  if (!month_first && (!date_mark(in) || (month = in.name(kMonths)) == 0)) return std::nullopt;
  in.skip(',');
  if (!date_mark(in)) return std::nullopt;
  int64_t seconds = 0;
  uint32_t nanos = 0;
  const bool clock_first = month_first && in.clock_ahead();
  if (clock_first && (!read_clock(in, seconds, nanos) || !zone_before_year(in, seconds))) {
    return std::nullopt;
  }
  if (!in.number(4, year)) return std::nullopt;
  if (!clock_first && !in.done()) {
    in.skip(',');
    if (!in.skip(' ') || !read_clock(in, seconds, nanos)) return std::nullopt;
    if (!read_zone_and_name(in, seconds)) return std::nullopt;
  }
  const auto start = day_start(year, month, day);
  if (!start || !in.done()) return std::nullopt;
  form = TimeForm::kWords;
  return in_range(*start + seconds, nanos);
}

}  // namespace

std::string_view form_name(TimeForm form) {
  constexpr std::string_view kNames[kTimeForms] = {
      "nothing",     "seconds",  "milliseconds",       "microseconds",
      "nanoseconds", "ISO 8601", "dates with a month", "ticks of 100 ns"};
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
  const auto iso = time_of_iso(text, form);
  if (iso || form != TimeForm::kNone) return iso;
  const auto words = time_of_words(text, form);
  if (words || form != TimeForm::kNone) return words;
  const auto number = parse_decimal_comma(text);
  return number ? time_of_number(*number, form) : std::nullopt;
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
