#include "podium/data/text_encoding.h"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <utility>

#include "podium/base/error.h"

namespace podium::data {
namespace {

bool high(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Length of the valid UTF-8 sequence of several bytes at the start of text; 0 if there is none.
size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t length = first >= 0xF0 && first < 0xF5   ? 4
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xC2 && first < 0xE0 ? 2
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

struct Look {
  size_t sequences = 0, wrong = 0;  // of UTF-8; bytes of none
  size_t letters = 0;               // wrong bytes that Windows-1252 text may well have there
  size_t odd = 0;                   // wrong bytes that it hardly has
};

bool letter_1252(unsigned char c) {
  return (c >= 0xC0 && c != 0xD7 && c != 0xF7) || c == 0x8A || c == 0x9A || c == 0x8E ||
         c == 0x9E || c == 0x8C || c == 0x9C;
}
bool lacking_1252(unsigned char c) {
  return c == 0x81 || c == 0x8D || c == 0x8F || c == 0x90 || c == 0x9D;
}
// Signs that stand between words: not the dot, accent and soft hyphen that stand in them.
bool sign_1252(unsigned char c) {
  return c > 0xA0 && c < 0xC0 && c != 0xAA && c != 0xAD && c != 0xB4 && c != 0xB7 && c != 0xBA;
}

// Marks of Windows-1252 where ASCII text has them: between or after its words and numbers.
bool mark_1252(std::string_view text, size_t i) {
  const auto at = [&](size_t place) { return place < text.size() ? text[place] : '\0'; };
  const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto number = [](char c) { return c >= '0' && c <= '9'; };
  size_t left = i - 1, right = i + 1;  // before the first, `left` is past the last
  const char before = at(left), after = at(right);
  while (at(left) == ' ') --left;
  while (at(right) == ' ') ++right;
  if (high(at(left)) || high(at(right)) || (!word(at(left)) && !word(at(right)))) return false;
  const bool blanks = before == ' ' && after == ' ';
  switch (static_cast<unsigned char>(text[i])) {
    case 0x92:  // ’
      return std::isalpha(static_cast<unsigned char>(before)) != 0;
    case 0x91:  // ‘
    case 0x93:  // “
      return !word(before) && word(after);
    case 0x94:  // ”
      return before > ' ' && !word(after);
    case 0x85:  // …
    case 0x99:  // ™
    case 0xAE:  // ®
      return word(before) && !word(after);
    case 0x96:  // –
      return blanks || (number(before) && number(after));
    case 0x97:  // —
      return blanks || (word(before) && word(after));
    case 0x80:  // €
      return number(at(left)) || number(at(right));
    default:
      return false;
  }
}

// The byte at i is over 127 and of no UTF-8 character.
void judge(std::string_view text, size_t i, Look& seen) {
  const auto ascii = [&](size_t at) {  // before the first, `at` is past the last
    return at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0;
  };
  const auto over = [&](size_t at) { return at < text.size() && high(text[at]); };
  const auto byte = static_cast<unsigned char>(text[i]);
  const bool single = !over(i - 1) && !over(i + 1) && (ascii(i - 1) || ascii(i + 1));
  const bool first_of_two = ascii(i - 1) && over(i + 1) && ascii(i + 2);
  const bool second_of_two = ascii(i - 2) && over(i - 1) && ascii(i + 1);
  ++seen.wrong;
  if (letter_1252(byte) && (single || first_of_two || second_of_two)) ++seen.letters;
  if (mark_1252(text, i)) ++seen.letters;
  if (lacking_1252(byte) || (sign_1252(byte) && ascii(i - 1) && ascii(i + 1))) ++seen.odd;
}

Look look(std::string_view text) {
  Look seen;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!high(text[i])) continue;
    if (const size_t length = sequence_length(text.substr(i)); length > 0) {
      ++seen.sequences;
      i += length - 1;
    } else if (i + 4 <= text.size()) {  // else it may go on in the next chunk
      judge(text, i, seen);
    }
  }
  return seen;
}

bool windows_1252(const Look& seen) {
  return seen.wrong > 4 * seen.sequences && seen.letters * 2 >= seen.wrong &&
         seen.odd * 10 <= seen.letters;
}

std::string bare_name(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if (c != '-' && c != '_') bare += static_cast<char>(std::tolower(c));
  }
  return bare;
}

// Whether ASCII text is something else in it.
bool is_wide(std::string_view name) {
  const std::string bare = bare_name(name);
  return bare.starts_with("utf") || bare.starts_with("ucs");
}

bool is_east_asian(std::string_view name) {
  const std::string bare = bare_name(name);
  constexpr std::string_view kStarts[] = {"gb",      "big5", "euc",   "sjis", "shift",
                                          "cp93",    "cp94", "cp95",  "hz",   "johab",
                                          "iso2022", "uhc",  "mskan", "ksc56"};
  return std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](std::string_view start) { return bare.starts_with(start); });
}

// Zero bytes at two places of each four, as UTF-32 has them: "LE", "BE" or nothing.
std::string_view utf32_order(std::string_view text) {
  text = text.substr(0, 512);
  size_t zeros[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < text.size(); ++i) zeros[i % 4] += text[i] == '\0' ? 1 : 0;
  const size_t all = text.size() / 4;
  if (all < 2) return "";
  if (zeros[2] >= all && zeros[3] >= all && zeros[0] == 0) return "LE";
  return zeros[0] >= all && zeros[1] >= all && zeros[3] == 0 ? "BE" : "";
}

// Zero bytes at one parity only, as UTF-16 writes ASCII: "LE", "BE" or nothing.
std::string_view utf16_order(std::string_view text) {
  text = text.substr(0, 512);
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < text.size(); ++i) zeros[i % 2] += text[i] == '\0' ? 1 : 0;
  const size_t many = text.size() / 10;  // a header, before text that may not be ASCII
  if (text.size() < 4) return "";
  if (zeros[1] > many && zeros[0] * 8 < zeros[1]) return "LE";
  return zeros[0] > many && zeros[1] * 8 < zeros[0] ? "BE" : "";
}

}  // namespace

struct ToUtf8::Iconv {
  iconv_t handle;
  std::string rest;  // an incomplete character at the end of a chunk

  explicit Iconv(iconv_t opened) : handle(opened) {}
  ~Iconv() { iconv_close(handle); }
  Iconv(const Iconv&) = delete;
  Iconv& operator=(const Iconv&) = delete;

  std::string run(std::string_view chunk, bool last) {
    std::string in = std::exchange(rest, "");
    in += chunk;
    std::string out(in.size() * 4 + 16, '\0');
    char* from = in.data();
    char* to = out.data();
    size_t left = in.size(), room = out.size();
    while (left > 0 && iconv(handle, &from, &left, &to, &room) == static_cast<size_t>(-1)) {
      if (errno == EINVAL && !last) {
        rest.assign(from, left);
        break;
      }
      *to++ = '\xFF';  // no character: makes the row one that is not UTF-8
      --room;
      ++from;
      --left;
    }
    out.resize(out.size() - room);
    return out;
  }
};

ToUtf8::ToUtf8(std::string_view name) {
  if (name.empty()) return;
  open(name);
  said_ = true;
  decided_ = iconv_ == nullptr || is_wide(encoding_);
}

ToUtf8::~ToUtf8() = default;
ToUtf8::ToUtf8(ToUtf8&&) noexcept = default;
ToUtf8& ToUtf8::operator=(ToUtf8&&) noexcept = default;

void ToUtf8::open(std::string_view name) {
  encoding_ = name;
  if (bare_name(name) == "utf8") {
    encoding_ = "UTF-8";
    return;
  }
  const iconv_t handle = iconv_open("UTF-8", encoding_.c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): as iconv tells of an error
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    throw Error(fmt::format("unknown encoding '{}'", name),
                "use windows-1252, utf-8, utf-16 or another name that iconv -l lists");
  }
  iconv_ = std::make_unique<Iconv>(handle);
}

void ToUtf8::overrule() {
  overruled_ = std::exchange(encoding_, "UTF-8");
  iconv_.reset();
}

void ToUtf8::look_at_start(std::string& chunk) {
  started_ = true;
  if (chunk.starts_with(kUtf8Mark) && !(decided_ && iconv_ != nullptr)) {
    if (iconv_ != nullptr) overrule();
    chunk.erase(0, kUtf8Mark.size());
    decided_ = true;
  }
  if (decided_ || said_) return;
  using namespace std::string_view_literals;
  if (chunk.starts_with("\xFF\xFE\0\0"sv) || chunk.starts_with("\0\0\xFE\xFF"sv)) {
    open("UTF-32");
    decided_ = true;
  } else if (chunk.starts_with("\xFF\xFE") || chunk.starts_with("\xFE\xFF")) {
    open("UTF-16");
    decided_ = true;
  } else if (const std::string_view wide = utf32_order(chunk); !wide.empty()) {
    open(fmt::format("UTF-32{}", wide));
    decided_ = guessed_ = true;
  } else if (const std::string_view order = utf16_order(chunk); !order.empty()) {
    open(fmt::format("UTF-16{}", order));
    decided_ = guessed_ = true;
  }
}

void ToUtf8::convert(std::string& chunk, bool last) {
  if (!started_ && !chunk.empty()) look_at_start(chunk);
  if (!decided_ && std::any_of(chunk.begin(), chunk.end(), high)) {
    const Look seen = look(chunk + (last ? "\n\n\n\n" : ""));
    if (said_) {
      if (seen.wrong == 0 && seen.sequences >= (is_east_asian(encoding_) ? 8U : 1U)) overrule();
    } else if (windows_1252(seen)) {
      open("WINDOWS-1252");
      guessed_ = true;
    }
    decided_ = true;
  }
  if (iconv_ != nullptr) chunk = iconv_->run(chunk, last);
}

}  // namespace podium::data
