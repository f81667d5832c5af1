// Values of cells and JSON fields, as importers read them. Times: import_times.h; prices:
// import_prices.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace podium::data {

// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

// Whole text as a finite number.
std::optional<double> parse_double(std::string_view text);
bool parse_float(std::string_view text, float& value);  // blanks around it allowed

// Nothing but blanks, tabs, line ends and U+00A0.
bool blanks(std::string_view text);
inline bool only_blanks(std::string_view text) {
  if (!text.empty() && text[0] > ' ') return false;  // the usual case
  return blanks(text);
}

// Parts between separators, blanks around them and empty parts taken away. A text in brackets,
// ['Drama', "Crime"], is read as the list that it is.
std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace podium::data
