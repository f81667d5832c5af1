// Values of cells and JSON fields, as importers read them. Times: import_times.h; prices:
// import_prices.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/table_rows.h"

namespace podium::data {

// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

// Whole text as a finite number.
std::optional<double> parse_double(std::string_view text);
bool parse_float(std::string_view text, float& value);  // blanks around it allowed
// "4,5": a number with one comma, where it can only stand before decimals (not in "1,299").
std::optional<double> parse_decimal_comma(std::string_view text);

// What spreadsheets mean by ="001": 001. Other texts as they are.
inline std::string_view unwrapped(std::string_view text) {
  const bool formula = text.size() > 2 && text[0] == '=' && text[1] == '"' && text.back() == '"';
  return formula ? text.substr(2, text.size() - 3) : text;
}

// A list or an object of JSON or Python, ["a", "b"]; but not [sic].
bool literal_of_several(std::string_view text);
inline bool list_or_object(std::string_view text) {
  return !text.empty() && (text[0] == '[' || text[0] == '{') && literal_of_several(text);
}

// Nothing but blanks, tabs, line ends and U+00A0.
bool blanks(std::string_view text);
inline bool only_blanks(std::string_view text) {
  if (!text.empty() && text[0] > ' ') return false;  // the usual case
  return blanks(text);
}

// is_blank(), or nothing but blanks.
bool no_value(const Cell& cell);

// Parts between separators, blanks around them and empty parts taken away. A text in brackets,
// ['Drama', "Crime"], is read as the list that it is.
std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace podium::data
