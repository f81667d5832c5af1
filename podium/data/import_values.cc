#include "podium/data/import_values.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "podium/base/json.h"
#include "podium/data/python_literal.h"

namespace podium::data {
namespace {

constexpr int64_t kFirst = -2'208'988'800, kEnd = 100'000'000'000;  // 1900 to 5138
constexpr double kNanos = 1e9;

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<Moment> in_range(int64_t seconds, uint32_t nanos) {
  if (seconds < kFirst || seconds >= kEnd) return std::nullopt;
  return Moment(seconds, nanos);
}

std::optional<Moment> time_of_integer(int64_t value) {
  int64_t unit = 1;  // in a second
  const double size = std::abs(double(value));
  if (size >= 1e17) {
    unit = 1'000'000'000;
  } else if (size >= 1e14) {
    unit = 1'000'000;
  } else if (size >= 1e11) {
    unit = 1000;
  }
  int64_t seconds = value / unit, rest = value % unit;
  if (rest < 0) --seconds, rest += unit;
  return in_range(seconds, static_cast<uint32_t>(rest * (1'000'000'000 / unit)));
}

std::optional<Moment> time_of_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e20) return std::nullopt;
  const double seconds = size >= 1e17   ? value / 1e9
                         : size >= 1e14 ? value / 1e6
                         : size >= 1e11 ? value / 1e3
                                        : value;
  const double whole = std::floor(seconds);
  const double nanos = std::min((seconds - whole) * kNanos, kNanos - 1);
  return in_range(static_cast<int64_t>(whole), static_cast<uint32_t>(nanos));
}

// Reads digits and marks from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
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
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1)) {
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
  int year = 0, month = 0, day = 0;
  if (!in.number(4, year)) return false;
  const char mark = in.skip('-') ? '-' : in.skip('/') ? '/' : '\0';
  if (mark == '\0' || !in.number(2, month) || !in.skip(mark) || !in.number(2, day)) return false;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  seconds = int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86400;
  return true;
}

bool read_clock(Reader& in, int64_t& seconds, uint32_t& nanos) {
  int hour = 0, minute = 0, second = 0;
  if (!in.number(2, hour) || !in.skip(':') || !in.number(2, minute)) return false;
  if (in.skip(':')) {
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

std::optional<Moment> time_of_iso(std::string_view text) {
  Reader in(text);
  int64_t seconds = 0;
  uint32_t nanos = 0;
  if (!read_date(in, seconds)) return std::nullopt;
  if (!in.done()) {
    if (!in.skip('T') && !in.skip('t') && !in.skip(' ')) return std::nullopt;
    if (!read_clock(in, seconds, nanos) || !read_zone(in, seconds)) return std::nullopt;
  }
  return in.done() ? in_range(seconds, nanos) : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// False when the text is no list after all.
bool literal_list(std::string_view text, std::vector<std::string>& parts) {
  std::string json;
  if (!python_to_json(text, json)) return false;
  const Json list = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return false;
  for (const Json& part : list) {
    if (!part.is_string()) return false;
    if (!part.get_ref<const std::string&>().empty()) parts.push_back(part.get<std::string>());
  }
  return true;
}

}  // namespace

bool parse_float(std::string_view text, float& value) {
  const auto number = parse_double(trimmed(text));
  if (!number || std::abs(*number) > 1e30) return false;
  value = static_cast<float>(*number);
  return true;
}

std::optional<Moment> parse_time(std::string_view text) {
  text = trimmed(text);
  int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (const auto [at, code] = std::from_chars(text.data(), end, integer);
      code == std::errc() && at == end) {
    return time_of_integer(integer);
  }
  if (const auto number = parse_double(text)) return time_of_number(*number);
  return time_of_iso(text);
}

float parse_price(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if ((c >= '0' && c <= '9') || c == '.') {
      digits += c;
    } else if (c != ',' && !digits.empty()) {
      break;
    }
  }
  float price = 0;
  return parse_float(digits, price) ? price : std::numeric_limits<float>::quiet_NaN();
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.starts_with('[') && text.ends_with(']') && literal_list(text, parts)) return parts;
  parts.clear();
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::string_view name = trimmed(part);
    if (!name.empty() && name != "(no genres listed)") parts.emplace_back(name);
  }
  return parts;
}

}  // namespace podium::data
