#include "podium/text/byte_letters.h"

#include <cstdint>
#include <unordered_map>

namespace podium::text {
namespace {

std::string utf8(uint32_t code) {  // below 2048
  if (code < 0x80) return std::string(1, char(code));
  return {char(0xC0 | code >> 6), char(0x80 | (code & 63))};
}

// Printable Latin-1 stands for itself, the rest follow 255.
std::array<std::string, 256> make_letters() {
  std::array<std::string, 256> letters;
  uint32_t next = 256;
  for (uint32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    letters[b] = utf8(printable ? b : next++);
  }
  return letters;
}

std::unordered_map<std::string_view, char> make_bytes() {
  std::unordered_map<std::string_view, char> bytes;
  for (size_t b = 0; b < 256; ++b) bytes.emplace(byte_letters()[b], char(b));
  return bytes;
}

}  // namespace

const std::array<std::string, 256>& byte_letters() {
  static const std::array<std::string, 256> letters = make_letters();
  return letters;
}

std::string to_letters(std::string_view bytes) {
  std::string letters;
  for (const char c : bytes) letters += byte_letters()[static_cast<unsigned char>(c)];
  return letters;
}

std::optional<std::string> from_letters(std::string_view letters) {
  static const std::unordered_map<std::string_view, char> bytes = make_bytes();
  std::string out;
  while (!letters.empty()) {
    const size_t length = static_cast<unsigned char>(letters.front()) < 0x80 ? 1 : 2;
    const auto found = bytes.find(letters.substr(0, length));
    if (found == bytes.end()) return std::nullopt;
    out += found->second;
    letters.remove_prefix(length);
  }
  return out;
}

}  // namespace podium::text
