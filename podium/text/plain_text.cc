#include "podium/text/plain_text.h"

#include <utf8proc.h>

#include <array>

namespace podium::text {
namespace {

struct Character {
  utf8proc_int32_t code = 0;  // -1: no UTF-8
  std::string_view bytes;
};

// Takes the first one off.
Character next(std::string_view& text) {
  Character c;
  auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &c.code);
  if (length <= 0) {
    c.code = -1;
    length = 1;
  }
  c.bytes = text.substr(0, size_t(length));
  text.remove_prefix(size_t(length));
  return c;
}

bool is_blank(utf8proc_category_t kind) {
  return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
         kind == UTF8PROC_CATEGORY_ZP || kind == UTF8PROC_CATEGORY_CC;
}

bool is_unseen(utf8proc_category_t kind) {
  return kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CS ||
         kind == UTF8PROC_CATEGORY_CO || kind == UTF8PROC_CATEGORY_CN;
}

bool is_of_word(utf8proc_category_t kind) {
  return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_ME) ||  // letters, marks
         (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO);
}

}  // namespace

std::string quotable_text(std::string_view text, size_t most) {
  std::vector<std::string> out;
  bool blank = false;
  while (!text.empty() && out.size() <= most) {
    const Character c = next(text);
    const auto kind = c.code < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c.code);
    if (is_unseen(kind)) continue;
    if (is_blank(kind)) {
      blank = !out.empty();
      continue;
    }
    if (blank) out.emplace_back(" ");
    blank = false;
    out.emplace_back(c.bytes == "“" || c.bytes == "”" ? "'" : c.bytes);
  }
  const bool cut = out.size() > most;
  if (cut) out.resize(most);
  if (cut && most > 0) out.back() = "…";
  std::string joined;
  for (const std::string& one : out) joined += one;
  return joined;
}

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  while (!text.empty()) {
    const Character c = next(text);
    if (c.code < 0 || !is_of_word(utf8proc_category(c.code))) {
      end();
      continue;
    }
    std::array<utf8proc_uint8_t, 4> lower{};
    const auto length = utf8proc_encode_char(utf8proc_tolower(c.code), lower.data());
    word.append(reinterpret_cast<const char*>(lower.data()), size_t(length));
  }
  end();
  return words;
}

}  // namespace podium::text
