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

// Moves `at` from within a quoted cell to its closing quote.
bool RowSplitter::find_close(std::string_view row, size_t& at, bool& escapes) const {
  for (; at < row.size(); ++at) {
    if (dialect_.backslash && row[at] == '\\') {
      escapes = true;
      ++at;
    } else if (row[at] == dialect_.quote) {
      if (at + 1 >= row.size() || row[at + 1] != dialect_.quote) return true;
      escapes = true;
      ++at;
    }
  }
  return false;
}

bool RowSplitter::quoted_cell(std::string_view row, size_t& at, Cell& cell) {
  const size_t begin = ++at;
  bool escapes = false;
  if (!find_close(row, at, escapes)) return false;
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

RowSplitter::Tail RowSplitter::tail(std::string_view line, std::vector<Cell>& cells) {
  cells.clear();
  size_t at = 0;
  bool escapes = false;
  if (!find_close(line, at, escapes)) return Tail::kOpen;
  line.remove_prefix(at + 1);
  const size_t end = find(line, 0, dialect_.delimiter);
  const bool blank = line.substr(0, end).find_first_not_of(" \t") == std::string_view::npos;
  if (!blank) return Tail::kText;
  if (end == line.size()) return Tail::kClosed;
  return split(line.substr(end + dialect_.delimiter.size()), cells) ? Tail::kClosed : Tail::kOpen;
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
  overlong_ = held_.front().overlong;
  held_.pop_front();
  line = current_;
  return true;
}

// Appends lines to record_ and ahead_ until the open quote is closed. width: the row's cells.
bool TableRows::read_ahead(size_t& width) {
  std::string_view line;
  while (record_.size() < kMaxRecord && take_line(line)) {
    ahead_.push_back({row_, std::string(line), overlong_});
    if (overlong_) return false;
    record_.append(1, '\n').append(line);
    const RowSplitter::Tail tail = splitter_.tail(line, scratch_);
    width += scratch_.size();
    if (tail == RowSplitter::Tail::kClosed) return true;
    if (tail == RowSplitter::Tail::kText || (width_ != 0 && width > width_)) return false;
  }
  return false;
}

// Would the lines of ahead_ be rows themselves?
bool TableRows::rows_ahead() {
  return width_ > 1 && std::all_of(ahead_.begin(), ahead_.end(), [this](const Held& line) {
           return splitter_.split(line.text, scratch_) && scratch_.size() == width_;
         });
}

// Joins record_ and the lines after it to one row; else all but the first line are held.
bool TableRows::join(std::vector<Cell>& cells) {
  const uint64_t first = row_;
  const size_t first_length = record_.size();
  size_t width = cells.size();
  ahead_.clear();
  bool closed = read_ahead(width);
  if (closed && rows_ahead()) {
    closed = width == width_;
    if (closed && quotes_.doubtful++ == 0) quotes_.doubtful_line = first;
  }
  row_ = first;
  overlong_ = false;
  if (closed) return splitter_.split(record_, cells);
  record_.resize(first_length);
  held_.insert(held_.begin(), std::make_move_iterator(ahead_.begin()),
               std::make_move_iterator(ahead_.end()));
  return false;
}

TableRows::Got TableRows::next(std::vector<Cell>& cells) {
  std::string_view line;
  do {
    if (!take_line(line)) return Got::kEnd;
  } while (line.empty());
  raw_ = line;
  if (overlong_) {
    reason_ = kOverlongLine;
    return Got::kBad;
  }
  if (splitter_.split(line, cells)) return Got::kRow;
  record_ = line;
  const bool closed = join(cells);
  raw_ = record_;
  quotes_.open += closed ? 0 : 1;
  reason_ = "open quote";
  return closed ? Got::kRow : Got::kBad;
}

}  // namespace podium::data
