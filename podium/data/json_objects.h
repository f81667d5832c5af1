// The objects of a JSON file, one at a time: a line each, or in an array, or one after the other
// over several lines. Python literals too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/lines.h"
#include "podium/data/table_rows.h"

namespace podium::data {

// Cuts a file into the texts of its objects. In a file with an object a line a damaged line is one
// bad text; in other layouts one ends where its brackets match, or at the end of the file.
class JsonTexts {
 public:
  explicit JsonTexts(Lines& lines);

  bool next(std::string_view& text);  // false at the end; the view lives until the next call
  Place place() const { return {lines_.name(), line_}; }  // where the text starts
  bool overlong() const { return overlong_; }             // the text was over 16 MiB, and is cut
  const char* layout() const { return by_line_ ? "an object a line" : "objects over lines"; }

 private:
  bool next_object(std::string_view& text);
  bool skip_to_object();
  bool past_end(std::string_view ahead, size_t& used);

  Lines& lines_;
  bool by_line_ = true, overlong_ = false;
  std::string text_;
  uint64_t line_ = 0;
  // Within next_object: open brackets, the quote of an open string, after a backslash.
  size_t depth_ = 0;
  char quote_ = '\0';
  bool escaped_ = false;
};

// One object's fields as cells. Fields get columns in order of their first appearance in the file.
class JsonFields {
 public:
  JsonFields();
  ~JsonFields();

  // Parses a text, as JSON or else as a Python literal; the reason why not, or null.
  const char* parse(std::string_view text);

  // Sets cells[column] for each field: column = column_of(name), or kUnknown to pass over it.
  // Strings are quoted cells, numbers and booleans plain ones, null is a blank plain cell; the
  // leaves of arrays become a list. An object that stands for one value is that value, as a plain
  // cell: {"$date": ...}, {"$oid": "..."}, {"$numberLong": "5"} (MongoDB), {"_seconds": 5}
  // (Firestore); any other, or a list of such, is an empty kObject. Views live until the next
  // parse().
  static constexpr size_t kUnknown = ~size_t{0};
  template <class ColumnOf>
  void read(const ColumnOf& column_of, std::vector<Cell>& cells) {
    for (size_t field = 0; field < fields(); ++field) {
      const size_t column = column_of(name(field));
      if (column == kUnknown) continue;
      if (cells.size() <= column) cells.resize(column + 1);
      if (cells[column].text.empty()) cells[column] = value(field);  // of two equal names the first
    }
  }

 private:
  struct Impl;
  size_t fields() const;
  std::string_view name(size_t field) const;
  Cell value(size_t field);

  std::unique_ptr<Impl> impl_;
};

}  // namespace podium::data
