#include "podium/data/table_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace podium::data {
namespace {

constexpr size_t kMaxRecord = 1 << 20;  // of a row whose quote is still open

constexpr std::array<std::string_view, 8> kMissing = {"\\N", "NULL", "null", "None",
                                                      "NaN", "nan",  "NA",   "<NA>"};

size_t find(std::string_view row, size_t from, const std::string& delimiter) {
  if (delimiter.size() > 1) return std::min(row.find(delimiter, from), row.size());
  const void* found = std::memchr(row.data() + from, delimiter[0], row.size() - from);
  return found == nullptr ? row.size() : size_t(static_cast<const char*>(found) - row.data());
}

}  // namespace

bool is_blank(const Cell& cell) {
  if (cell.text.empty()) return true;
  constexpr size_t kLongest = 4;
  if (cell.kind != Cell::Kind::kPlain || cell.text.size() > kLongest) return false;
  if (cell.text[0] <= '9') return false;  // a number, the usual case
  return std::find(kMissing.begin(), kMissing.end(), cell.text) != kMissing.end();
}

std::string_view RowSplitter::unescaped(std::string_view text, bool in_quotes) {
  const size_t begin = texts_.size();
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (in_quotes && c == dialect_.quote && next == c) {
      ++i;
      texts_ += c;
    } else if (dialect_.backslash && c == '\\' && i + 1 < text.size()) {
      ++i;
      texts_ += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
    } else {
      texts_ += c;
    }
  }
  return std::string_view(texts_).substr(begin);
}

bool RowSplitter::quoted_cell(std::string_view row, size_t& at, Cell& cell) {
  const size_t begin = ++at;
  bool escapes = false;
  for (;; ++at) {
    if (at >= row.size()) return false;
    if (dialect_.backslash && row[at] == '\\') {
      escapes = true;
      ++at;
    } else if (row[at] == dialect_.quote) {
      if (at + 1 >= row.size() || row[at + 1] != dialect_.quote) break;
      escapes = true;
      ++at;
    }
  }
  const std::string_view text = row.substr(begin, at - begin);
  cell = {escapes ? unescaped(text, true) : text, Cell::Kind::kQuoted};
  ++at;
  return true;
}

void RowSplitter::plain_cell(std::string_view row, size_t& at, Cell& cell) {
  const size_t begin = at;
  at = find(row, at, dialect_.delimiter);
  if (!dialect_.backslash) {
    cell = {row.substr(begin, at - begin), Cell::Kind::kPlain};
    return;
  }
  while (at < row.size()) {  // a delimiter after an odd number of backslashes belongs to the cell
    size_t slashes = 0;
    while (at - slashes > begin && row[at - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) break;
    at = find(row, at + dialect_.delimiter.size(), dialect_.delimiter);
  }
  const std::string_view text = row.substr(begin, at - begin);
  const bool escapes = text != "\\N" && text.find('\\') != std::string_view::npos;
  cell = {escapes ? unescaped(text, false) : text, Cell::Kind::kPlain};
}

bool RowSplitter::split(std::string_view row, std::vector<Cell>& cells) {
  cells.clear();
  texts_.clear();
  if (texts_.capacity() < 2 * row.size()) texts_.reserve(2 * row.size());
  stray_ = false;
  for (size_t at = 0;; at += dialect_.delimiter.size()) {
    Cell& cell = cells.emplace_back();
    if (dialect_.quote != '\0' && at < row.size() && row[at] == dialect_.quote) {
      if (!quoted_cell(row, at, cell)) return false;
      const size_t end = find(row, at, dialect_.delimiter);
      if (end != at) {
        stray_ = true;
        const size_t begin = texts_.size();
        texts_.append(cell.text).append(row.substr(at, end - at));
        cell.text = std::string_view(texts_).substr(begin);
      }
      at = end;
    } else {
      plain_cell(row, at, cell);
    }
    if (at >= row.size()) return true;
  }
}

bool RowSplitter::closes(std::string_view line) const {
  for (size_t i = 0; i < line.size(); ++i) {
    if (dialect_.backslash && line[i] == '\\') {
      ++i;
    } else if (line[i] == dialect_.quote) {
      if (i + 1 >= line.size() || line[i + 1] != dialect_.quote) return true;
      ++i;
    }
  }
  return false;
}

bool TableRows::take_line(std::string_view& line) {
  if (held_.empty()) {
    const bool got = lines_.next(line);
    row_ = lines_.number();
    overlong_ = lines_.overlong();
    return got;
  }
  row_ = held_.front().number;
  current_ = std::move(held_.front().text);
  held_.pop_front();
  overlong_ = false;
  line = current_;
  return true;
}

// Appends lines to record_ until the open quote is closed; else all but the first are held.
bool TableRows::join(std::vector<Cell>& cells) {
  const uint64_t first = row_;
  const size_t first_length = record_.size();
  std::deque<Held> ahead;
  std::string_view line;
  bool closed = false;
  while (!closed && record_.size() < kMaxRecord && take_line(line) && !overlong_) {
    const bool closing = splitter_.closes(line);
    ahead.push_back({row_, std::string(line)});
    record_.append(1, '\n').append(line);
    closed = closing && splitter_.split(record_, cells);
  }
  row_ = first;
  overlong_ = false;
  if (closed) return true;
  record_.resize(first_length);
  held_.insert(held_.begin(), std::make_move_iterator(ahead.begin()),
               std::make_move_iterator(ahead.end()));
  return false;
}

TableRows::Got TableRows::next(std::vector<Cell>& cells) {
  std::string_view line;
  do {
    if (!take_line(line)) return Got::kEnd;
  } while (line.empty());
  raw_ = line;
  if (overlong_) {
    reason_ = "line over 16 MiB";
    return Got::kBad;
  }
  if (splitter_.split(line, cells)) return Got::kRow;
  record_ = line;
  const bool closed = join(cells);
  raw_ = record_;
  reason_ = "open quote";
  return closed ? Got::kRow : Got::kBad;
}

}  // namespace podium::data
