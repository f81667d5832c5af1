#include "podium/eval/text_table.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "podium/base/error.h"

namespace podium::eval {
namespace {

struct Character {
  uint32_t code;  // kBroken when not UTF-8
  std::string_view bytes;
};
constexpr uint32_t kBroken = 0xffffffff;

// The character at the start of non-empty text; a broken one is one byte long.
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, text.substr(0, 1)};
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {kBroken, text.substr(0, 1)};
  uint32_t code = lead & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {kBroken, text.substr(0, 1)};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kSmallest[length] || code > 0x10ffff || surrogate) {
    return {kBroken, text.substr(0, 1)};
  }
  return {code, text.substr(0, length)};
}

using Range = std::pair<uint32_t, uint32_t>;
constexpr std::array<Range, 8> kZeroWidth = {{{0x300, 0x36f},
                                              {0x483, 0x489},
                                              {0x591, 0x5bd},
                                              {0x200b, 0x200d},
                                              {0x20d0, 0x20ff},
                                              {0xfe00, 0xfe0f},
                                              {0xfe20, 0xfe2f},
                                              {0xfeff, 0xfeff}}};
constexpr std::array<Range, 9> kWide = {{{0x1100, 0x115f},
                                         {0x2e80, 0x303e},
                                         {0x3041, 0xa4cf},
                                         {0xac00, 0xd7a3},
                                         {0xf900, 0xfaff},
                                         {0xfe30, 0xfe6f},
                                         {0xff00, 0xff60},
                                         {0xffe0, 0xffe6},
                                         {0x1f300, 0x1faff}}};
constexpr std::array<Range, 5> kUnsafe = {
    {{0, 0x1f}, {0x7f, 0x9f}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}}};

template <size_t N>
bool within(const std::array<Range, N>& ranges, uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const Range& range) {
    return code >= range.first && code <= range.second;
  });
}

size_t width_of(uint32_t code) {
  if (within(kZeroWidth, code)) return 0;
  return within(kWide, code) || (code >= 0x20000 && code <= 0x3fffd) ? 2 : 1;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    width += width_of(c.code);
    text.remove_prefix(c.bytes.size());
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    out += c.code == kBroken || within(kUnsafe, c.code) ? std::string_view("\uFFFD") : c.bytes;
    text.remove_prefix(c.bytes.size());
  }
  return out;
}

std::string fit_width(std::string_view text, size_t width) {
  const std::string safe = printable(text);
  if (display_width(safe) <= width) return safe;
  std::string out;
  std::string_view rest = safe;
  for (size_t used = 0; !rest.empty();) {
    const Character c = first_character(rest);
    used += width_of(c.code);
    if (used + 1 > width) break;
    out += c.bytes;
    rest.remove_prefix(c.bytes.size());
  }
  return out + "…";
}

TextTable::TextTable(std::vector<std::string> header, std::vector<size_t> left)
    : left_(std::move(left)) {
  rows_.push_back(std::move(header));
}

void TextTable::add(std::vector<std::string> row) {
  PODIUM_CHECK(row.size() <= rows_[0].size());
  row.resize(rows_[0].size());
  for (std::string& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

bool TextTable::is_left(size_t column) const {
  return column == 0 || std::find(left_.begin(), left_.end(), column) != left_.end();
}

std::string TextTable::text(size_t indent) const {
  std::vector<size_t> width(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], display_width(row[c]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent, ' ');
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(width[c] - display_width(row[c]), ' ');
      if (c > 0) line += "  ";
      line += is_left(c) ? row[c] + pad : pad + row[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace podium::eval
