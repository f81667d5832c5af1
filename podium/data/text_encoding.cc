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

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

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
  size_t sequences = 0, wrong = 0, letters = 0;  // letters: wrong bytes that stand in words
};

bool letter_1252(unsigned char c) {
  return (c >= 0xC0 && c != 0xD7 && c != 0xF7) || c == 0x8A || c == 0x9A || c == 0x8E ||
         c == 0x9E || c == 0x8C || c == 0x9C;
}

Look look(std::string_view text) {
  Look seen;
  const auto ascii_letter = [&](size_t i) {
    return i < text.size() && !high(text[i]) && std::isalpha(static_cast<unsigned char>(text[i]));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (!high(text[i])) continue;
    if (const size_t length = sequence_length(text.substr(i)); length > 0) {
      ++seen.sequences;
      i += length - 1;
    } else if (i + 4 <= text.size()) {  // else it may go on in the next chunk
      ++seen.wrong;
      const bool beside = (i > 0 && ascii_letter(i - 1)) || ascii_letter(i + 1);
      if (beside && letter_1252(static_cast<unsigned char>(text[i]))) ++seen.letters;
    }
  }
  return seen;
}

// Zero bytes at one parity only, as UTF-16 writes ASCII: "LE", "BE" or nothing.
std::string_view utf16_order(std::string_view text) {
  text = text.substr(0, 512);
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < text.size(); ++i) zeros[i % 2] += text[i] == '\0' ? 1 : 0;
  const size_t many = text.size() * 2 / 5;
  if (text.size() < 4) return "";
  if (zeros[1] >= many && zeros[0] * 8 < many) return "LE";
  return zeros[0] >= many && zeros[1] * 8 < many ? "BE" : "";
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
  decided_ = true;
  open(name);
}

ToUtf8::~ToUtf8() = default;
ToUtf8::ToUtf8(ToUtf8&&) noexcept = default;
ToUtf8& ToUtf8::operator=(ToUtf8&&) noexcept = default;

void ToUtf8::open(std::string_view name) {
  encoding_ = name;
  std::string bare;
  for (const char c : name) {
    if (c != '-' && c != '_') bare += static_cast<char>(std::tolower(c));
  }
  if (bare == "utf8") {
    encoding_ = "UTF-8";
    return;
  }
  const iconv_t handle = iconv_open("UTF-8", encoding_.c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): as iconv tells of an error
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    throw Error(fmt::format("unknown encoding '{}'", name),
                "use utf-8, latin1, windows-1252, utf-16 or another name that iconv -l lists");
  }
  iconv_ = std::make_unique<Iconv>(handle);
}

void ToUtf8::look_at_start(std::string& chunk) {
  started_ = true;
  if (chunk.starts_with(kUtf8Mark) && iconv_ == nullptr) {
    chunk.erase(0, kUtf8Mark.size());
    decided_ = true;
  }
  if (decided_) return;
  if (chunk.starts_with("\xFF\xFE") || chunk.starts_with("\xFE\xFF")) {
    open("UTF-16");
    decided_ = true;
  } else if (const std::string_view order = utf16_order(chunk); !order.empty()) {
    open(fmt::format("UTF-16{}", order));
    decided_ = guessed_ = true;
  }
}

void ToUtf8::convert(std::string& chunk, bool last) {
  if (!started_ && !chunk.empty()) look_at_start(chunk);
  if (!decided_ && std::any_of(chunk.begin(), chunk.end(), high)) {
    const Look seen = look(chunk + (last ? "\n\n\n\n" : ""));
    if (seen.wrong > 4 * seen.sequences && seen.letters * 2 >= seen.wrong) {
      open("WINDOWS-1252");
      guessed_ = true;
    }
    decided_ = true;
  }
  if (iconv_ != nullptr) chunk = iconv_->run(chunk, last);
}

}  // namespace podium::data
