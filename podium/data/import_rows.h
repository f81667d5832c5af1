// Rows of any format by their meaning: cells to events, catalogue rows or rejections.
//
//   file given as         row                                     becomes
//   events (positional)   has a user                              an event
//                         has a user field, but blank             rejected: blank user
//                         has a list or an object as user or item rejected
//                         no user field, but a time               rejected: no user
//                         no user field, a rating and no text     rejected: no user
//                         an object as time or rating             rejected
//                         no user field otherwise                 a catalogue row
//   --items               any                                     a catalogue row; user, time and
//                                                                 rating are not read
// A table's rows all have the fields of its header; a JSON object has those that it writes.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/columns.h"
#include "podium/data/import_prices.h"
#include "podium/data/import_sink.h"
#include "podium/data/row_notes.h"
#include "podium/data/table_rows.h"
#include "podium/data/time_column.h"

namespace podium::data {

// How one file is to be read.
struct FileRules {
  ColumnMap map;              // of its group: --map or --map-items
  bool items = false;         // given with --items
  char list_separator = '|';  // within a categories cell
  bool json = false;          // plain cells are JSON's numbers, which have '.' before decimals
};

class RowReader {
 public:
  RowReader(const FileRules& rules, ImportSink& sink)
      : roles_(rules.map, rules.items), rules_(rules), sink_(sink), first_event_(sink.events()) {}

  // The next column; true when it has a role, so that its values are needed.
  bool add_column(std::string_view name) { return roles_.add(name) != Role::kNone; }
  // True for a name that add_column() would give a role.
  bool knows(std::string_view name) const {
    return column_use(name, rules_.map, rules_.items).role != Role::kNone;
  }
  const ColumnRoles& columns() const { return roles_; }

  // True for the first rows, of which the values of all columns are needed.
  bool looking() const { return notes_.looking(); }

  // cells[column]; missing ones at the end are absent.
  void row(const Place& at, std::span<const Cell> cells, std::string_view raw);

  // After the last row: what only all rows tell (import_prices.h, time_column.h); the columns that
  // were used go to the file's report.
  void finish();

 private:
  const Cell* value(Role role, std::span<const Cell> cells) const;
  bool present(Role role, std::span<const Cell> cells) const;
  bool has(Cell::Kind kind, Role role, std::span<const Cell> cells) const;
  std::string_view id(Role role, std::span<const Cell> cells, const char*& reason);
  std::string text(Role role, std::span<const Cell> cells) const;
  std::string joined(Role role, std::span<const Cell> cells) const;
  std::vector<std::string> categories(std::span<const Cell> cells) const;
  std::optional<Moment> time(const Place& at, std::span<const Cell> cells,
                             std::string_view& reason);
  void event(const Place& at, std::span<const Cell> cells, std::string_view user,
             std::string_view raw);
  void item(const Place& at, std::span<const Cell> cells, std::string_view raw);

  void report() const;

  ColumnRoles roles_;
  FileRules rules_;
  ImportSink& sink_;
  size_t first_event_;  // of the file, in the builder
  TimeColumn times_;
  PriceColumn prices_;
  RowNotes notes_;
};

}  // namespace podium::data
