// Rows of delimited text: RFC 4180 and the dialects that spreadsheets, pandas, R and MySQL write.
//
// Our own rather than a library: Debian has no C++ CSV library that knows all of quoted line ends,
// delimiters of several characters ("::"), backslash escapes and row numbers, and this one makes no
// copy of a cell that has no escape in it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/lines.h"

namespace podium::data {

struct Dialect {
  std::string delimiter = ",";       // "\t", ";", "::", ...
  char quote = '"';                  // '\0': cells are never quoted
  bool backslash = false;            // \" within quotes, \t \n \\ anywhere; else "" within quotes
  char list_separator = '|';         // within a categories cell
  bool typed_header = false;         // RecBole's name:type
  std::vector<std::string> columns;  // their names, where the file has no header
};

// One value of a row. The view lives until the next row is read.
struct Cell {
  enum class Kind : uint8_t { kAbsent, kPlain, kQuoted, kList };
  std::string_view text;
  Kind kind = Kind::kAbsent;
};
inline constexpr char kListMark = '\x1f';  // between the parts of a kList cell

// Empty, or not quoted and spelled as a missing value: \N NULL null None NaN nan NA <NA>.
bool is_blank(const Cell& cell);

// Cuts one row into cells.
class RowSplitter {
 public:
  explicit RowSplitter(const Dialect& dialect) : dialect_(dialect) {}

  // False when a quote is left open: the row goes on in the next line.
  bool split(std::string_view row, std::vector<Cell>& cells);
  bool stray() const { return stray_; }  // text stood after a closing quote; it is kept
  // True when a line that follows an open quote holds the closing one.
  bool closes(std::string_view line) const;

 private:
  bool quoted_cell(std::string_view row, size_t& at, Cell& cell);
  void plain_cell(std::string_view row, size_t& at, Cell& cell);
  std::string_view unescaped(std::string_view text, bool in_quotes);

  Dialect dialect_;
  std::string texts_;  // of cells that held escapes; never grows while views into it live
  bool stray_ = false;
};

// The rows of a file. A quoted cell may hold line ends, which become "\n". A quote that is not
// closed within 1 MiB, or not at all, makes its line a bad row; the lines after it are read again
// as rows. Blank lines are passed over.
class TableRows {
 public:
  TableRows(Lines& lines, const Dialect& dialect)
      : lines_(lines), dialect_(dialect), splitter_(dialect) {}

  enum class Got : uint8_t { kRow, kBad, kEnd };
  Got next(std::vector<Cell>& cells);

  std::string_view raw() const { return raw_; }          // the row's text
  Place place() const { return {lines_.name(), row_}; }  // its first line
  const char* reason() const { return reason_; }         // of kBad
  bool stray() const { return splitter_.stray(); }

 private:
  struct Held {
    uint64_t number;
    std::string text;
  };
  bool take_line(std::string_view& line);
  bool join(std::vector<Cell>& cells);

  Lines& lines_;
  Dialect dialect_;
  RowSplitter splitter_;
  std::deque<Held> held_;  // lines read ahead
  std::string current_, record_;
  std::string_view raw_;
  uint64_t row_ = 0;
  bool overlong_ = false;
  const char* reason_ = "";
};

}  // namespace podium::data
