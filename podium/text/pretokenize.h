// Splits text into the words that byte-level BPE merges within.
#pragma once

#include <string_view>

namespace podium::text {

// The same rule as a regular expression of Hugging Face tokenizers: words with their leading space
// (letters are ASCII letters and everything beyond ASCII), digits one at a time, runs of
// punctuation, runs of white space.
inline constexpr std::string_view kSplitPattern =
    R"( ?[A-Za-z\x{80}-\x{10FFFF}]+| ?[0-9]| ?[!-/:-@\[-`{-~\x00-\x08\x0E-\x1F\x7F]+|[ \t\n\r\f\x0B]+)";

// Cuts the first word off `text`, which must not be empty.
std::string_view next_word(std::string_view& text);

}  // namespace podium::text
