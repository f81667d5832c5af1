#include "podium/data/python_literal.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace podium::data {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

void append_utf8(uint32_t code, std::string& out) {
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = kReplacement;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12), tail(6), tail(0);
  }
}

class Converter {
 public:
  Converter(std::string_view text, std::string& json) : text_(text), json_(json) {}

  bool run() {
    while (at_ < text_.size()) {
      if (!token()) return false;
    }
    return true;
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool token() {
    const char c = peek();
    if (c == '\'' || c == '"') return string(/*unicode=*/false, /*raw=*/false);
    if (letter(c)) return word();
    if (digit(c) || c == '-' || c == '+' || c == '.') return number();
    ++at_;
    if (c == '(' || c == '[') {
      json_ += '[';
    } else if (c == ')' || c == ']' || c == '}') {
      drop_comma();
      json_ += c == '}' ? '}' : ']';
    } else {
      json_ += c;  // braces, commas, colons, blanks; anything else fails in the JSON parser
    }
    return true;
  }

  // Python and people leave a comma before the closing bracket: (1,).
  void drop_comma() {
    const size_t last = json_.find_last_not_of(" \t\r\n");
    if (last != std::string::npos && json_[last] == ',') json_.resize(last);
  }

  bool word() {
    size_t end = at_;
    while (end < text_.size() && (letter(text_[end]) || digit(text_[end]))) ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end;
    if ((peek() == '\'' || peek() == '"') && name.size() <= 2 &&
        name.find_first_not_of("uUbBrR") == std::string_view::npos) {
      return string(name.find_first_of("uU") != std::string_view::npos,
                    name.find_first_of("rR") != std::string_view::npos);
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWords = {
        {{"True", "true"},
         {"False", "false"},
         {"None", "null"},
         {"nan", "null"},
         {"inf", "null"},
         {"NaN", "null"},
         {"Infinity", "null"},
         {"true", "true"},
         {"false", "false"},
         {"null", "null"}}};
    for (const auto& [python, json] : kWords) {
      if (name != python) continue;
      json_ += json;
      return true;
    }
    return false;
  }

  bool number() {
    const bool negative = peek() == '-';
    if (negative || peek() == '+') ++at_;
    if (letter(peek())) return word();  // -inf
    const size_t begin = at_;
    bool whole = true;
    for (char c = peek(); digit(c) || c == '.' || c == 'e' || c == 'E' ||
                          ((c == '+' || c == '-') && (text_[at_ - 1] | 0x20) == 'e');
         c = peek()) {
      whole = whole && digit(c);
      ++at_;
    }
    std::string digits = (negative ? "-" : "") + std::string(text_.substr(begin, at_ - begin));
    if (digits.find_first_of("0123456789") == std::string::npos) return false;
    if (peek() == 'L' || peek() == 'l') ++at_;
    const size_t point = digits.find('.');
    if (point != std::string::npos) {
      if (point + 1 == digits.size() || !digit(digits[point + 1])) digits.insert(point + 1, "0");
      if (point == 0 || !digit(digits[point - 1])) digits.insert(point, "0");
    }
    size_t ahead = 0;
    while (peek(ahead) == ' ') ++ahead;
    const bool text = peek(ahead) == ':' || (whole && digits.size() > 18);
    json_ += text ? '"' + digits + '"' : digits;
    return true;
  }

  bool string(bool unicode, bool raw) {
    const char quote = peek();
    ++at_;
    json_ += '"';
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && !raw) {
        if (!escape(unicode)) return false;
      } else {
        plain(text_[at_++]);
      }
    }
    if (at_ == text_.size()) return false;
    ++at_;
    json_ += '"';
    return true;
  }

  // One byte of a string as JSON writes it.
  void plain(char c) {
    if (c == '"' || c == '\\') {
      json_ += '\\';
      json_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(c);
      json_.append("\\u00").append(1, kHex[code >> 4]).append(1, kHex[code & 15]);
    } else {
      json_ += c;
    }
  }

  void character(uint32_t code) {
    if (code < 0x80) {
      plain(static_cast<char>(code));
    } else {
      append_utf8(code, json_);
    }
  }

  // The number of `digits` hexadecimal digits `skip` bytes ahead.
  bool hex(size_t skip, size_t digits, uint32_t& code) const {
    if (at_ + skip + digits > text_.size()) return false;
    const char* begin = text_.data() + at_ + skip;
    const auto [end, failed] = std::from_chars(begin, begin + digits, code, 16);
    return failed == std::errc() && end == begin + digits;
  }

  bool escape(bool unicode) {
    const char c = peek(1);
    uint32_t code = 0;
    if (c == 'x') return bytes(unicode);
    if (c == 'u' || c == 'U') {
      const size_t digits = c == 'u' ? 4 : 8;
      if (!hex(2, digits, code)) return false;
      at_ += 2 + digits;
      uint32_t low = 0;
      if (code >= 0xD800 && code < 0xDC00 && peek() == '\\' && peek(1) == 'u' && hex(2, 4, low) &&
          low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at_ += 6;
      }
      character(code);
      return true;
    }
    if (c >= '0' && c <= '7') {
      ++at_;
      for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i) {
        code = code * 8 + static_cast<uint32_t>(text_[at_++] - '0');
      }
      character(code);
      return true;
    }
    if (at_ + 1 >= text_.size()) return false;
    at_ += 2;
    constexpr std::string_view kNames = "abfnrtv/", kCodes = "\a\b\f\n\r\t\v/";
    if (const size_t known = kNames.find(c); known != std::string_view::npos) {
      plain(kCodes[known]);
    } else if (c == '\'' || c == '"' || c == '\\') {
      plain(c);
    } else if (c != '\n') {  // a backslash before a line end joins the lines; others stand
      plain('\\');
      plain(c);
    }
    return true;
  }

  // A run of \xHH: characters, or in strings without u the bytes of UTF-8 if they are valid.
  bool bytes(bool unicode) {
    std::string run;
    uint32_t code = 0;
    while (peek() == '\\' && peek(1) == 'x') {
      if (!hex(2, 2, code)) return false;
      run += static_cast<char>(code);
      at_ += 4;
    }
    const bool utf8 = !unicode && simdjson::validate_utf8(run.data(), run.size());
    for (const char c : run) {
      if (utf8) {
        plain(c);
      } else {
        character(static_cast<unsigned char>(c));
      }
    }
    return true;
  }

  std::string_view text_;
  std::string& json_;
  size_t at_ = 0;
};

}  // namespace

bool python_to_json(std::string_view text, std::string& json) {
  json.clear();
  return Converter(text, json).run();
}

}  // namespace podium::data
