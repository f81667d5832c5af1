#include "podium/data/import_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/nearest.h"

namespace podium::data {
namespace {

constexpr size_t kNamesShown = 20;

class TableImport {
 public:
  TableImport(Lines& lines, const GuessedDialect& guess, const DialectOptions& said,
              const FileRules& rules, ImportSink& sink)
      : lines_(lines),
        guess_(guess),
        said_(said),
        rules_(rules),
        sink_(sink),
        rows_(lines, guess.dialect),
        reader_(rules, sink) {}

  void run() {
    std::string_view skipped;
    for (size_t i = 0; i < guess_.skip; ++i) lines_.next(skipped);
    std::vector<Cell> cells;
    if (!read_header(cells)) return;
    rows_.expect(reader_.columns().size());
    for (TableRows::Got got; (got = rows_.next(cells)) != TableRows::Got::kEnd;) {
      if (got == TableRows::Got::kBad) {
        sink_.reject(rows_.place(), with_cause(rows_.reason(), rows_.raw()), rows_.raw());
      } else {
        row(cells);
      }
    }
    note_quotes();
    if (headers_ > 0) {
      sink_.file().notes.push_back(
          fmt::format("{} rows equal to the header were passed over", headers_));
    }
    reader_.finish();
  }

 private:
  void note_quotes() const {
    const TableRows::Quotes& quotes = rows_.quotes();
    std::vector<std::string>& notes = sink_.file().notes;
    if (quotes.open > 0) {
      notes.push_back(fmt::format(
          "rows with an open quote: {}; if quotes are text here: --quote none", quotes.open));
    }
    if (quotes.doubtful > 0) {
      notes.push_back(
          fmt::format("rows with a quoted cell over lines that would be rows themselves: {}, the "
                      "first in line {}; if quotes are text here: --quote none",
                      quotes.doubtful, quotes.doubtful_line));
    }
  }

  // False when the file has no row.
  bool read_header(std::vector<Cell>& cells) {
    const bool named = !guess_.dialect.columns.empty();
    const TableRows::Got got = rows_.next(cells);
    if (got == TableRows::Got::kEnd) {
      sink_.file().notes.emplace_back("empty");
      return false;
    }
    check_ends(cells);
    std::vector<std::string> names = guess_.dialect.columns;
    if (!named && got == TableRows::Got::kRow) {
      header_ = rows_.raw();
      if (guess_.row_names) names.emplace_back();
      for (const Cell& cell : cells) names.push_back(column_name(cell.text));
      if (guess_.spare_end) names.emplace_back();
    }
    for (const std::string& name : names) reader_.add_column(name);
    check_header(names, cells);
    if (named) first_row(got, cells);
    return true;
  }

  // A header and rows in one line.
  void check_ends(const std::vector<Cell>& cells) const {
    for (const Cell& cell : cells) {
      if (cell.kind == Cell::Kind::kQuoted && !rows_.stray()) continue;
      if (cell.text.find('\r') == std::string_view::npos) continue;
      throw Error("a lone carriage return is in the first row: the file mixes line ends",
                  "mend it with: tr '\\r' '\\n' < FILE > NEW",
                  fmt::format("{}:{}", lines_.name(), guess_.skip + 1));
    }
  }

  std::string column_name(std::string_view text) const {
    if (guess_.dialect.typed_header) text = text.substr(0, text.find(':'));
    return std::string(text);
  }

  // The first row of a file whose columns were named: data, unless it spells out known names.
  void first_row(TableRows::Got got, const std::vector<Cell>& cells) {
    if (got == TableRows::Got::kBad)
      return sink_.reject(rows_.place(), rows_.reason(), rows_.raw());
    size_t known = 0;
    for (const Cell& cell : cells) {
      known += column_use(cell.text, {}, rules_.items).role != Role::kNone ? 1 : 0;
    }
    if (known >= 2 && known * 2 >= cells.size()) {
      header_ = rows_.raw();
      sink_.file().notes.emplace_back(
          "line 1 is a header and was passed over, as columns were named");
    } else {
      row(cells);
    }
  }

  static void check_text(const std::vector<std::string>& names, const std::string& where) {
    for (const std::string& name : names) {
      if (simdjson::validate_utf8(name)) continue;
      throw Error("the header is not UTF-8", kNotUtf8Cure, where);
    }
  }

  void check_header(const std::vector<std::string>& names, const std::vector<Cell>& cells) {
    const std::string where = fmt::format("{}:{}", lines_.name(), guess_.skip + 1);
    if (!said_.columns.empty() && cells.size() != names.size()) {
      throw Error(fmt::format("the first row has {} cells, but --columns names {}", cells.size(),
                              names.size()),
                  fmt::format("name every column, '-' for one to leave out; read with {}",
                              dialect_text(guess_.dialect)),
                  where);
    }
    check_text(names, where);
    check_said(where);
    check_map(reader_.columns(), rules_, where);
    const ColumnRoles& columns = reader_.columns();
    if (!columns.has(Role::kItem)) {
      throw Error(fmt::format("no column of this header is known as the item; it reads: {}",
                              names_text(names)),
                  fmt::format("map the columns: --{} item=NAME,...; if this line is data already: "
                              "--columns user,item,rating,time; if it is cut wrongly: --delimiter "
                              "(read with {})",
                              rules_.items ? "map-items" : "map", dialect_text(guess_.dialect)),
                  where);
    }
    const bool text = columns.has(Role::kTitle) || columns.has(Role::kCategories) ||
                      columns.has(Role::kDescription) || columns.has(Role::kBrand) ||
                      columns.has(Role::kPrice);
    if (!rules_.items && !columns.has(Role::kUser) &&
        (columns.has(Role::kTime) || (columns.has(Role::kRating) && !text))) {
      throw Error(fmt::format("no column of this header is known as the user; it reads: {}",
                              names_text(names)),
                  "map it: --map user=NAME; a catalogue is given with --items", where);
    }
    if (columns.has(Role::kUser) && !columns.has(Role::kTime)) sink_.no_times();
  }

  // A misspelt name in --columns would leave its column out without a word.
  void check_said(const std::string& where) const {
    std::vector<std::string_view> roles;
    for (size_t r = 1; r < kRoles; ++r) roles.push_back(role_name(static_cast<Role>(r)));
    for (const std::string& name : said_.columns) {
      if (name == "-" || reader_.knows(name)) continue;
      const std::string_view like = nearest(name, roles);
      constexpr size_t kSlip = 2;
      if (edit_distance(name, like) > kSlip) {
        sink_.file().notes.push_back(
            fmt::format("--columns: '{}' is no known column, left out", name));
        continue;
      }
      throw Error(fmt::format("--columns names '{}': did you mean {}?", name, like),
                  "write '-' for a column to leave out", where);
    }
  }

  // The header once more, as where files were put together; a byte-order mark may stand before it.
  bool header_again() const {
    std::string_view raw = rows_.raw();
    if (raw.size() == header_.size() + kUtf8Mark.size() && raw.starts_with(kUtf8Mark)) {
      raw.remove_prefix(kUtf8Mark.size());
    }
    return !header_.empty() && raw == header_;
  }

  void row(const std::vector<Cell>& cells) {
    if (header_again()) {
      ++headers_;
    } else if (cells.size() == reader_.columns().size()) {
      reader_.row(rows_.place(), cells, rows_.raw());
    } else if (!rows_of_other_ends()) {
      sink_.reject(rows_.place(), with_cause("wrong cell count", rows_.raw()), rows_.raw());
    }
  }

  // A file of mixed line ends: several rows in what was read as one. They are read when each has
  // the cells that it should have, and no quote; else false.
  bool rows_of_other_ends() {
    const std::string_view raw = rows_.raw();
    if (raw.find_first_of("\r\n") == std::string_view::npos) return false;
    if (raw.find(guess_.dialect.quote) != std::string_view::npos) return false;
    RowSplitter splitter(guess_.dialect);
    std::vector<Cell> cells;
    for (const bool use : {false, true}) {
      for (std::string_view rest = raw; !rest.empty();) {
        const std::string_view part = first_line(rest);
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        if (part.empty()) continue;
        splitter.split(part, cells);
        if (cells.size() != reader_.columns().size()) return false;
        if (use) reader_.row(rows_.place(), cells, part);
      }
    }
    if (!std::exchange(mixed_ends_, true)) {
      sink_.file().notes.emplace_back("the line ends are mixed; each was read as one");
    }
    return true;
  }

  Lines& lines_;
  GuessedDialect guess_;
  const DialectOptions& said_;
  const FileRules& rules_;
  ImportSink& sink_;
  TableRows rows_;
  RowReader reader_;
  std::string header_;       // its text; empty: there was none
  uint64_t headers_ = 0;     // rows equal to it
  bool mixed_ends_ = false;  // and it was said
};

}  // namespace

Dialect csv_dialect() { return {}; }
Dialect tsv_dialect() {
  Dialect dialect;
  dialect.delimiter = "\t";
  return dialect;
}
Dialect recbole_dialect() {
  Dialect dialect = tsv_dialect();
  dialect.list_separator = ' ';
  dialect.typed_header = true;
  return dialect;
}
Dialect movielens_ratings_dialect() {
  Dialect dialect;
  dialect.delimiter = "::";
  dialect.columns = {"user", "item", "rating", "timestamp"};
  return dialect;
}
Dialect movielens_movies_dialect() {
  Dialect dialect;
  dialect.delimiter = "::";
  dialect.columns = {"item", "title", "genres"};
  return dialect;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    text += (i == 0 ? "" : ", ") + names[i].substr(0, 100);
  }
  return names.size() > kNamesShown ? text + ", ..." : text;
}

void check_map(const ColumnRoles& columns, const FileRules& rules, std::string_view where) {
  std::vector<std::string> names;
  for (size_t i = 0; i < columns.size(); ++i) names.push_back(columns.name(i));
  for (const Role role : {Role::kUser, Role::kItem, Role::kTime, Role::kRating}) {
    const auto mapped = rules.map.find(std::string(role_name(role)));
    if (mapped == rules.map.end() || columns.has(role)) continue;
    if (rules.items && role != Role::kItem) continue;
    throw Error(
        fmt::format("no column {}, which --{} names for the {}; the columns are: {}",
                    mapped->second, rules.items ? "map-items" : "map", mapped->first,
                    names_text(names)),
        "name a column that this file has; a catalogue is given with --items and mapped with "
        "--map-items",
        std::string(where));
  }
}

void import_table(Lines& lines, const Dialect& usual, const DialectOptions& said,
                  const FileRules& rules, ImportSink& sink) {
  const GuessedDialect guess = guess_dialect(lines.sample(), lines.sample_is_whole(), usual, said);
  FileReport& file = sink.file();
  file.layout += dialect_text(guess.dialect);
  if (guess.row_names) file.notes.emplace_back("the first column has no name: row names");
  FileRules own = rules;
  own.list_separator = guess.dialect.list_separator;
  TableImport(lines, guess, said, own, sink).run();
}

}  // namespace podium::data
