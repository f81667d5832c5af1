// tokenizer.json: what is read encodes any text, and what it decodes encodes to the same again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "podium/base/error.h"
#include "podium/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using podium::text::Tokenizer;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const Tokenizer tokenizer = Tokenizer::parse(text, "input");
    for (const auto token : tokenizer.encode("abcde ab\xFF")) {
      PODIUM_CHECK(token >= 0 && token < tokenizer.vocab());
    }
    const std::string back = tokenizer.decode(tokenizer.encode("abcde fgh 12"));
    PODIUM_CHECK(tokenizer.decode(tokenizer.encode(back)) == back);
  } catch (const podium::Error&) {  // bad input is told, never a crash
  }
  return 0;
}
