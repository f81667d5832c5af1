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
  enum class Kind : uint8_t { kAbsent, kPlain, kQuoted, kList, kObject };
  std::string_view text;
  Kind kind = Kind::kAbsent;  // kObject: of JSON, and no value; its text is empty
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

  // How a line goes on that follows an open quote.
  enum class Tail : uint8_t {
    kOpen,    // a quote is still open at its end
    kClosed,  // the row ends with it
    kText,    // text stands after the closing quote: the open one was no cell's start
  };
  // cells: those after the one that the line closes.
  Tail tail(std::string_view line, std::vector<Cell>& cells);

 private:
  bool find_close(std::string_view row, size_t& at, bool& escapes) const;
  bool quoted_cell(std::string_view row, size_t& at, Cell& cell);
  void plain_cell(std::string_view row, size_t& at, Cell& cell);
  std::string_view unescaped(std::string_view text, bool in_quotes);

  Dialect dialect_;
  std::string texts_;  // of cells that held escapes; never grows while views into it live
  bool stray_ = false;
};

// The rows of a file. A quoted cell may hold line ends, which become "\n". A quote makes its own
// line a bad row, and the lines after it are read again as rows, when it is
//   not closed within 1 MiB, or not at all,
//   closed in a later line with text right after it ("Monitor 24"" in one row, "TV" in the next),
//   or closed so that the row is not as wide as expected, and its other lines are rows themselves.
// Blank lines are passed over. The time is linear in the file.
class TableRows {
 public:
  TableRows(Lines& lines, const Dialect& dialect)
      : lines_(lines), dialect_(dialect), splitter_(dialect) {}

  // Cells of a row; 0: unknown.
  void expect(size_t width) { width_ = width; }

  enum class Got : uint8_t { kRow, kBad, kEnd };
  Got next(std::vector<Cell>& cells);

  std::string_view raw() const { return raw_; }          // the row's text
  Place place() const { return {lines_.name(), row_}; }  // its first line
  const char* reason() const { return reason_; }         // of kBad
  bool stray() const { return splitter_.stray(); }

  // What was odd about quotes so far.
  struct Quotes {
    uint64_t open = 0;                         // bad rows
    uint64_t doubtful = 0, doubtful_line = 0;  // rows whose later lines would be rows; the first
  };
  const Quotes& quotes() const { return quotes_; }

 private:
  struct Held {
    uint64_t number;
    std::string text;
    bool overlong;
  };
  bool take_line(std::string_view& line);
  bool read_ahead(size_t& width);
  bool join(std::vector<Cell>& cells);
  bool rows_ahead();

  Lines& lines_;
  Dialect dialect_;
  RowSplitter splitter_;
  std::deque<Held> held_;    // lines read ahead, that are rows again
  std::vector<Held> ahead_;  // of the row that is being joined
  std::vector<Cell> scratch_;
  std::string current_, record_;
  std::string_view raw_;
  uint64_t row_ = 0;
  size_t width_ = 0;
  Quotes quotes_;
  bool overlong_ = false;
  const char* reason_ = "";
};

}  // namespace podium::data
