#include "podium/data/table_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "podium/base/error.h"

namespace podium::data {
namespace {

constexpr size_t kSample = 1 << 16;
constexpr size_t kRows = 64;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDelimiterNames = {
    {{"tab", "\t"}, {"comma", ","}, {"semicolon", ";"}, {"pipe", "|"}, {"space", " "}}};

// How well the sample's rows fit a dialect.
struct Fit {
  double share = 0;  // of the rows that are as wide as most are; 0 when that is one cell
  size_t width = 0;  // of the header
  size_t flaws = 0;  // open quotes and text after closing ones
  size_t quoted = 0, rows = 0;
  bool one_more = false, last_empty = true;                    // rows against the header
  bool names_quoted = true, names_count = true, comma = true;  // of all rows

  bool better_than(const Fit& other) const {
    return share != other.share ? share > other.share : width > other.width;
  }
};

bool is_digits(const Cell& cell) {
  return !cell.text.empty() && cell.text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What the first cells of rows that are one too long look like.
void look_at_names(const std::vector<Cell>& cells, size_t header, size_t row, Fit& fit) {
  const bool longer = cells.size() == header + 1;
  const std::string_view first = cells.front().text;
  const auto counts = [&](size_t from) { return first == std::to_string(row + from); };
  fit.names_quoted = fit.names_quoted && longer && cells.front().kind == Cell::Kind::kQuoted;
  fit.names_count = fit.names_count && longer && (counts(0) || counts(1));
  fit.comma = fit.comma && cells.size() > 1 && is_digits(cells.back()) &&
              is_digits(cells[cells.size() - 2]);
}

Fit fit_of(std::string_view sample, const Dialect& dialect) {
  Lines lines("sample", sample);
  TableRows rows(lines, dialect);
  std::vector<Cell> cells;
  std::map<size_t, size_t> widths;
  Fit fit;
  size_t seen = 0;
  for (TableRows::Got got; seen < kRows && (got = rows.next(cells)) != TableRows::Got::kEnd;) {
    ++seen;
    if (got == TableRows::Got::kBad || rows.stray()) ++fit.flaws;
    if (got == TableRows::Got::kBad) continue;
    for (const Cell& cell : cells) fit.quoted += cell.kind == Cell::Kind::kQuoted ? 1 : 0;
    if (fit.width == 0) {
      fit.width = cells.size();
      continue;
    }
    look_at_names(cells, fit.width, fit.rows++, fit);
    ++widths[cells.size()];
    if (cells.size() == fit.width + 1) fit.last_empty = fit.last_empty && cells.back().text.empty();
  }
  const auto most =
      std::max_element(widths.begin(), widths.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (fit.width < 2) return fit;
  if (most == widths.end()) {  // a header alone, or a single row
    fit.share = 1;
  } else if (most->first == fit.width || most->first == fit.width + 1) {
    fit.share = double(most->second) / double(seen);
    fit.one_more = most->first == fit.width + 1;
  }
  return fit;
}

std::string guess_delimiter(std::string_view sample, Dialect dialect) {
  std::string best = dialect.delimiter;
  Fit fit = fit_of(sample, dialect);
  for (const std::string_view candidate : {",", "\t", ";", "|", "::"}) {
    dialect.delimiter = candidate;
    const Fit other = fit_of(sample, dialect);
    if (other.better_than(fit)) {
      fit = other;
      best = candidate;
    }
  }
  return best;
}

void guess_quotes(std::string_view sample, const DialectOptions& said, Dialect& dialect) {
  const bool plain_usual = dialect.delimiter != "," && dialect.delimiter != ";";
  if (said.quote) {
    dialect.quote = *said.quote;
  } else if (sample.starts_with('\'')) {
    dialect.quote = '\'';
  }
  if (said.backslash) dialect.backslash = *said.backslash;
  if (dialect.quote == '\0') return;
  Fit doubled = fit_of(sample, dialect);
  if (!said.backslash && sample.find('\\') != std::string_view::npos) {
    Dialect other = dialect;
    other.backslash = true;
    const Fit slashed = fit_of(sample, other);
    if (doubled.flaws > 0 && slashed.flaws < doubled.flaws) {
      dialect = other;
      doubled = slashed;
    }
  }
  if (!said.quote && plain_usual && (doubled.quoted == 0 || doubled.flaws > 0)) {
    dialect.quote = '\0';
  }
}

}  // namespace

std::string parse_delimiter(std::string_view text) {
  for (const auto& [name, delimiter] : kDelimiterNames) {
    if (text == name) return std::string(delimiter);
  }
  if (text == "\\t") return "\t";
  if (text.empty() || text.size() > 8 || text.find_first_of("\n\r\"") != std::string_view::npos) {
    throw Error(fmt::format("'{}' is no delimiter", text),
                "give its characters, or one of tab, comma, semicolon, pipe, space");
  }
  return std::string(text);
}

char parse_quote(std::string_view text) {
  if (text == "none") return '\0';
  if (text.size() != 1)
    throw Error(fmt::format("'{}' is no quote", text), "give one character or none");
  return text[0];
}

bool parse_escape(std::string_view text) {
  if (text != "backslash" && text != "double") {
    throw Error(fmt::format("unknown escape '{}'", text), "use backslash or double");
  }
  return text == "backslash";
}

std::vector<std::string> parse_columns(std::string_view text) {
  std::vector<std::string> columns;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    columns.emplace_back(name);
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return columns;
}

GuessedDialect guess_dialect(std::string_view sample, bool whole, const Dialect& usual,
                             const DialectOptions& said) {
  if (sample.size() > kSample || !whole) {  // whole lines only
    sample = sample.substr(0, kSample);
    const size_t end = sample.find_last_of("\n\r");
    if (end != std::string_view::npos) sample = sample.substr(0, end + 1);
  }
  GuessedDialect guess{usual};
  Dialect& dialect = guess.dialect;
  if (!said.columns.empty()) dialect.columns = said.columns;
  const std::string_view first = first_line(sample);
  if (first.starts_with("sep=") && first.size() > 4) {
    guess.skip = 1;
    dialect.delimiter = first.substr(4);
    sample.remove_prefix(std::min(sample.size(), first.size() + 1));
  } else if (said.delimiter.empty()) {
    dialect.delimiter = guess_delimiter(sample, dialect);
  }
  if (!said.delimiter.empty()) dialect.delimiter = said.delimiter;
  guess_quotes(sample, said, dialect);
  if (dialect.columns.empty()) {
    const Fit fit = fit_of(sample, dialect);
    guess.spare_end = fit.one_more && fit.last_empty;
    guess.row_names =
        fit.one_more && !fit.last_empty && (fit.names_quoted || (fit.names_count && !fit.comma));
  }
  return guess;
}

std::string dialect_text(const Dialect& dialect) {
  std::string delimiter = dialect.delimiter;
  for (const auto& [name, text] : kDelimiterNames) {
    if (delimiter == text) delimiter = name;
  }
  std::string text = fmt::format("delimiter {}", delimiter);
  if (dialect.quote != '\0') text += fmt::format(", quote {}", dialect.quote);
  if (dialect.backslash) text += ", escape backslash";
  return text;
}

}  // namespace podium::data
