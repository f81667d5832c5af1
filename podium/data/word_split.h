// Parts of a line, as views into it.
#pragma once

#include <string_view>
#include <vector>

namespace podium::data {

// Every part between separators, empty ones too.
inline std::vector<std::string_view> split_at(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = line.find(separator);
    parts.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

// Words between blanks and tabs.
inline std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const size_t end = line.find_first_of(" \t");
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

}  // namespace podium::data
