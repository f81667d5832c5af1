#include "podium/data/import_values.h"

#include <charconv>
#include <cmath>

#include "podium/base/json.h"
#include "podium/data/python_literal.h"

namespace podium::data {
namespace {

Json literal(std::string_view text) {
  std::string json;
  if (!python_to_json(text, json)) return nullptr;
  return Json::parse(json, nullptr, /*allow_exceptions=*/false);
}

// False when the text is no list after all.
bool literal_list(std::string_view text, std::vector<std::string>& parts) {
  const Json list = literal(text);
  if (!list.is_array()) return false;
  for (const Json& part : list) {
    if (!part.is_string()) return false;
    if (!part.get_ref<const std::string&>().empty()) parts.push_back(part.get<std::string>());
  }
  return true;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

bool parse_float(std::string_view text, float& value) {
  const auto number = parse_double(trimmed(text));
  if (!number || std::abs(*number) > 1e30) return false;
  value = static_cast<float>(*number);
  return true;
}

std::optional<double> parse_decimal_comma(std::string_view text) {
  text = trimmed(text);
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma + 1 == text.size()) return std::nullopt;
  const size_t sign = text[0] == '-' ? 1 : 0, decimals = text.size() - comma - 1;
  const bool thousands = decimals == 3 && comma - sign <= 3 && text[sign] != '0';
  if (thousands || text.find_first_not_of("0123456789", comma + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  std::string number(text);
  number[comma] = '.';
  return parse_double(number);
}

bool literal_of_several(std::string_view text) {
  const Json value = literal(text);
  return value.is_array() || value.is_object();
}

bool blanks(std::string_view text) {
  while (!text.empty()) {
    const size_t length = text.starts_with("\xC2\xA0") ? 2 : 1;
    if (length == 1 && text[0] != ' ' && (text[0] < '\t' || text[0] > '\r')) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool no_value(const Cell& cell) {
  if (cell.text.empty()) return true;
  if (cell.text[0] > ' ' && cell.text[0] <= '9') return false;  // a number, the usual case
  return is_blank(cell) || only_blanks(cell.text);
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
