#include "podium/text/pretokenize.h"

#include "podium/base/error.h"
#include "podium/text/unicode_words.h"

namespace podium::text {
namespace {

enum class Kind { kLetter, kDigit, kSpace, kOther };

Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80 || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')) {
    return Kind::kLetter;
  }
  if (byte >= '0' && byte <= '9') return Kind::kDigit;
  if (byte == ' ' || (byte >= 9 && byte <= 13)) return Kind::kSpace;
  return Kind::kOther;
}

size_t podium_word(std::string_view text) {
  const bool led = text[0] == ' ' && text.size() > 1 && kind_of(text[1]) != Kind::kSpace;
  size_t end = led ? 1 : 0;
  const Kind kind = kind_of(text[end]);
  do {
    ++end;
  } while (kind != Kind::kDigit && end < text.size() && kind_of(text[end]) == kind);
  return end;
}

}  // namespace

std::string_view next_word(std::string_view& text, WordRule rule) {
  PODIUM_CHECK(!text.empty());
  const size_t end = rule == WordRule::kPodium ? podium_word(text) : unicode_word(text, rule);
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace podium::text
