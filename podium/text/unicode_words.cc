#include "podium/text/unicode_words.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

namespace podium::text {
namespace {

enum class SignClass { kEnd, kLetter, kNumber, kLine, kSpace, kOther };  // kLine: \r, \n

struct Sign {
  SignClass of = SignClass::kEnd;
  size_t length = 0;  // bytes
};

SignClass class_of(utf8proc_int32_t c) {
  if (c == '\r' || c == '\n') return SignClass::kLine;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return SignClass::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return SignClass::kNumber;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return SignClass::kSpace;
    default:
      return (c >= 9 && c <= 13) || c == 0x85 ? SignClass::kSpace : SignClass::kOther;
  }
}

Sign sign_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  utf8proc_int32_t c = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &c);
  return length > 0 ? Sign{class_of(c), size_t(length)} : Sign{SignClass::kOther, 1};
}

bool is_white(SignClass kind) { return kind == SignClass::kSpace || kind == SignClass::kLine; }

// The end of the run of one kind that starts at `at`, of at most `most` signs.
size_t run_end(std::string_view text, size_t at, SignClass kind, size_t most = std::string::npos) {
  for (Sign sign = sign_at(text, at); sign.of == kind && most > 0; sign = sign_at(text, at)) {
    at += sign.length;
    --most;
  }
  return at;
}

// Bytes of 's, 't, 're, 've, 'm, 'll, 'd at the start of text; 0: none.
size_t contraction(std::string_view text, bool any_case) {
  if (text.front() != '\'') return 0;
  std::string folded(text.substr(1, 2));
  for (char& c : folded) {
    if (any_case && c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  }
  for (const std::string_view end : {"re", "ve", "ll"}) {
    if (folded == end) return 3;
  }
  if (any_case && folded == "\u017F") return 3;  // the long s is an s
  return !folded.empty() && std::string_view("stmd").find(folded[0]) != std::string::npos ? 2 : 0;
}

// White space: up to its last line's end where `lines` end words; else a run leaves its last sign
// to the word that follows.
size_t space_end(std::string_view text, bool lines) {
  size_t end = 0, last = 0, line_end = 0;
  for (Sign sign = sign_at(text, 0); is_white(sign.of); sign = sign_at(text, end)) {
    last = end;
    end += sign.length;
    if (sign.of == SignClass::kLine) line_end = end;
  }
  if (lines && line_end > 0) return line_end;
  return end < text.size() && last > 0 ? last : end;
}

size_t gpt2_word(std::string_view text) {
  if (const size_t end = contraction(text, false)) return end;
  const size_t start = text.front() == ' ' ? 1 : 0;
  const SignClass kind = sign_at(text, start).of;
  if (kind == SignClass::kEnd || is_white(kind)) return space_end(text, false);
  return run_end(text, start, kind);
}

size_t line_word(std::string_view text, size_t digits) {
  if (const size_t end = contraction(text, true)) return end;
  const Sign first = sign_at(text, 0);
  if (first.of == SignClass::kNumber) return run_end(text, 0, SignClass::kNumber, digits);
  const size_t letters =
      first.of == SignClass::kSpace || first.of == SignClass::kOther ? first.length : 0;
  if (sign_at(text, letters).of == SignClass::kLetter)
    return run_end(text, letters, SignClass::kLetter);
  const size_t start = text.front() == ' ' ? 1 : 0;
  if (sign_at(text, start).of != SignClass::kOther) return space_end(text, true);
  return run_end(text, run_end(text, start, SignClass::kOther), SignClass::kLine);
}

// Digits are cut off before words are looked for.
size_t digits_word(std::string_view text) {
  size_t end = 0;
  for (Sign sign = sign_at(text, 0); sign.of != SignClass::kEnd; sign = sign_at(text, end)) {
    if (sign.of == SignClass::kNumber)
      return end == 0 ? sign.length : gpt2_word(text.substr(0, end));
    end += sign.length;
  }
  return gpt2_word(text);
}

}  // namespace

size_t unicode_word(std::string_view text, WordRule rule) {
  switch (rule) {
    case WordRule::kDigits:
      return digits_word(text);
    case WordRule::kQwen:
      return line_word(text, 1);
    case WordRule::kLlama3:
      return line_word(text, 3);
    default:
      return gpt2_word(text);
  }
}

std::string composed(std::string_view text) {
  const bool ascii = std::none_of(text.begin(), text.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  utf8proc_uint8_t* out = nullptr;
  const auto size =
      ascii ? -1
            : utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                           static_cast<utf8proc_ssize_t>(text.size()), &out,
                           static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) return std::string(text);
  std::string result(reinterpret_cast<const char*>(out), size_t(size));
  std::free(out);
  return result;
}

}  // namespace podium::text
