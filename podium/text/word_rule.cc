#include "podium/text/word_rule.h"

namespace podium::text {
namespace {

// Words with their leading space (letters are ASCII letters and everything beyond ASCII), digits
// one at a time, runs of punctuation, runs of white space.
constexpr std::string_view kPodiumSplit =
    R"( ?[A-Za-z\x{80}-\x{10FFFF}]+| ?[0-9]| ?[!-/:-@\[-`{-~\x00-\x08\x0E-\x1F\x7F]+|[ \t\n\r\f\x0B]+)";
constexpr std::string_view kGpt2Split =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwenSplit =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

std::string_view split_of(WordRule rule) {
  switch (rule) {
    case WordRule::kPodium:
      return kPodiumSplit;
    case WordRule::kGpt2:
    case WordRule::kDigits:
      return kGpt2Split;
    case WordRule::kQwen:
      return kQwenSplit;
    case WordRule::kLlama3:
      break;
  }
  return kLlama3Split;
}

}  // namespace podium::text
