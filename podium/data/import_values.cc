#include "podium/data/import_values.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace podium::data {
namespace {

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

bool parse_float(std::string_view text, float& value) {
  const auto number = parse_double(text);
  if (!number || std::abs(*number) > 1e30) return false;
  value = static_cast<float>(*number);
  return true;
}

std::optional<int64_t> time_of_number(double seconds) {
  if (std::abs(seconds) > 1e11) seconds /= 1000;
  if (!(seconds > -2.3e9 && seconds < 1e11)) return std::nullopt;
  return static_cast<int64_t>(std::floor(seconds));
}

std::optional<int64_t> parse_time(std::string_view text) {
  const auto number = parse_double(text);
  return number ? time_of_number(*number) : std::nullopt;
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
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty() && part != "(no genres listed)") parts.emplace_back(part);
  }
  return parts;
}

}  // namespace podium::data
