#include <charconv>
#include <cmath>
#include <limits>

#include "podium/base/error.h"
#include "podium/data/import.h"
#include "podium/data/import_values.h"

namespace podium::data {
namespace {

// Splits one row; false when a quote is left open. Cells are copied only if quoted.
bool split_row(std::string_view row, const Dialect& dialect, std::vector<std::string>& cells) {
  cells.clear();
  size_t at = 0;
  for (;;) {
    std::string cell;
    if (dialect.quotes && at < row.size() && row[at] == '"') {
      for (++at;; ++at) {
        if (at >= row.size()) return false;
        if (row[at] != '"') {
          cell += row[at];
        } else if (at + 1 < row.size() && row[at + 1] == '"') {
          cell += row[at++];
        } else {
          break;
        }
      }
      ++at;
    }
    const size_t end = row.find(dialect.delimiter, at);
    cell += row.substr(at, end == std::string_view::npos ? end : end - at);
    cells.push_back(std::move(cell));
    if (end == std::string_view::npos) return true;
    at = end + dialect.delimiter.size();
  }
}

std::vector<Role> read_header(const std::vector<std::string>& names, const Dialect& dialect,
                              const ColumnMap& map) {
  std::vector<Role> roles;
  for (std::string name : names) {
    if (dialect.typed_header) name.resize(std::min(name.size(), name.find(':')));
    Role role = role_of(name, map);
    for (const Role earlier : roles) {
      if (earlier == role) role = Role::kNone;  // the first column of a role counts
    }
    roles.push_back(role);
  }
  return roles;
}

class TableReader {
 public:
  TableReader(Lines& lines, const Dialect& dialect, const ColumnMap& map, ImportSink& sink)
      : lines_(lines), dialect_(dialect), map_(map), sink_(sink) {}

  void read() {
    std::string_view line;
    if (!dialect_.columns.empty()) {
      use_header(dialect_.columns);
    } else {
      if (!lines_.next(line)) return;
      std::vector<std::string> names;
      if (!split_row(line, dialect_, names)) names.clear();
      use_header(names);
    }
    while (lines_.next(line)) {
      if (!line.empty()) row(line);
    }
  }

 private:
  void use_header(const std::vector<std::string>& names) {
    roles_ = read_header(names, dialect_, map_);
    has_user_ = std::find(roles_.begin(), roles_.end(), Role::kUser) != roles_.end();
    if (std::find(roles_.begin(), roles_.end(), Role::kItem) == roles_.end()) {
      throw Error(has_user_ ? "the header has no item column" : "the header has no known column",
                  "name the columns with --map user=...,item=...,time=...", lines_.name() + ":1");
    }
  }

  void row(std::string_view line) {
    if (lines_.overlong()) return sink_.reject(lines_, "line over 16 MiB", line);
    if (!split_row(line, dialect_, cells_)) return sink_.reject(lines_, "open quote", line);
    if (cells_.size() != roles_.size()) return sink_.reject(lines_, "wrong cell count", line);
    user_.clear();
    time_.reset();
    float rating = 1;
    DatasetBuilder::Item item{"", "", "", "", {}, std::numeric_limits<float>::quiet_NaN()};
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (const char* reason = cell(roles_[i], cells_[i], item, rating)) {
        return sink_.reject(lines_, reason, line);
      }
    }
    if (has_user_) {
      sink_.event(lines_, user_, item.id, time_, rating, line);
    } else {
      sink_.item(lines_, item, line);
    }
  }

  // The reason why the cell is bad, or null.
  const char* cell(Role role, std::string& text, DatasetBuilder::Item& item, float& rating) {
    switch (role) {
      case Role::kUser:
        user_ = text;
        break;
      case Role::kItem:
        item.id = text;
        break;
      case Role::kTitle:
        item.title = text;
        break;
      case Role::kBrand:
        item.brand = text;
        break;
      case Role::kDescription:
        item.description = text;
        break;
      case Role::kCategories:
        item.categories = split_list(text, dialect_.list_separator);
        break;
      case Role::kPrice:
        item.price = parse_price(text);
        break;
      case Role::kTime:
        if (text.empty()) break;
        time_ = parse_time(text);
        if (!time_) return "time is not a number of seconds";
        break;
      case Role::kRating:
        if (!text.empty() && !parse_float(text, rating)) return "rating is not a number";
        break;
      case Role::kNone:
        break;
    }
    return nullptr;
  }

  Lines& lines_;
  const Dialect& dialect_;
  const ColumnMap& map_;
  ImportSink& sink_;
  std::vector<Role> roles_;
  std::vector<std::string> cells_;
  std::string user_;
  std::optional<int64_t> time_;
  bool has_user_ = false;
};

}  // namespace

Dialect csv_dialect() { return {}; }
Dialect tsv_dialect() { return {.delimiter = "\t", .quotes = false, .columns = {}}; }
Dialect recbole_dialect() {
  return {.delimiter = "\t",
          .list_separator = ' ',
          .quotes = false,
          .typed_header = true,
          .columns = {}};
}
Dialect movielens_ratings_dialect() {
  return {.delimiter = "::", .quotes = false, .columns = {"user", "item", "rating", "timestamp"}};
}
Dialect movielens_movies_dialect() {
  return {.delimiter = "::", .quotes = false, .columns = {"item", "title", "genres"}};
}

void import_table(Lines& lines, const Dialect& dialect, const ColumnMap& map, ImportSink& sink) {
  TableReader(lines, dialect, map, sink).read();
}

}  // namespace podium::data
