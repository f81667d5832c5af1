// Which dialect a table is written in, guessed from its first lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/table_rows.h"

namespace podium::data {

// What the user said of the dialect; everything else is guessed.
struct DialectOptions {
  std::string delimiter;             // empty: guess
  std::optional<char> quote;         // '\0': none
  std::optional<bool> backslash;     // --escape backslash or double
  std::vector<std::string> columns;  // not empty: the file has no header
};
// "," ";" "|" "::" ..., or tab, comma, semicolon, pipe, space. Error on an empty one.
std::string parse_delimiter(std::string_view text);
char parse_quote(std::string_view text);                        // one character or none
bool parse_escape(std::string_view text);                       // backslash or double
std::vector<std::string> parse_columns(std::string_view text);  // user,item,-,time

struct GuessedDialect {
  Dialect dialect;
  size_t skip = 0;  // lines before the header: 1 for a spreadsheet's "sep=;"
  // Rows have one cell more than the header, in front, as R writes: where each row of the sample
  // has it and it is quoted, or counts the rows (and the last two cells are no decimal comma).
  bool row_names = false;
  bool spare_end = false;  // rows end in a delimiter that the header lacks
};

// sample: the start of the file; whole: it is all of it. `usual` is the dialect that the file's
// name or format suggests; another is chosen only where the sample's rows fit it better:
//   delimiter   the one of , tab ; | :: under which most rows have as many cells as the header, and
//               more than one
//   quotes      on in tables with commas or semicolons; in the others where the sample has quoted
//               cells that are all well formed
//   backslash   where \" would end a cell in the middle otherwise
GuessedDialect guess_dialect(std::string_view sample, bool whole, const Dialect& usual,
                             const DialectOptions& said);

// "delimiter tab, quote \", escape backslash", for the summary.
std::string dialect_text(const Dialect& dialect);

}  // namespace podium::data
