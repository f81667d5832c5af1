// Aligned text tables for terminals, right for UTF-8 and safe for text of unknown origin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace podium::eval {

// Columns a terminal uses for `text`: 0 for combining marks, 2 for wide East Asian characters and
// emoji, else 1 a code point; a byte that is not UTF-8 counts 1.
size_t display_width(std::string_view text);

// Control characters (C0, DEL, C1, bidirectional overrides) and broken UTF-8 become U+FFFD: no
// catalogue text can move the cursor or recolour the terminal.
std::string printable(std::string_view text);

// printable(text) cut to `width` columns, with an ellipsis when cut.
std::string fit_width(std::string_view text, size_t width);

class TextTable {
 public:
  // The first column is left-aligned, the others to the right unless `left` names them.
  explicit TextTable(std::vector<std::string> header, std::vector<size_t> left = {});

  void add(std::vector<std::string> row);  // at most as many cells as the header; printed safely
  std::string text(size_t indent = 2) const;

 private:
  bool is_left(size_t column) const;

  std::vector<std::vector<std::string>> rows_;  // the header first
  std::vector<size_t> left_;
};

}  // namespace podium::eval
