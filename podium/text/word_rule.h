// How a tokenizer splits text into words.
#pragma once

#include <cstdint>
#include <string_view>

namespace podium::text {

// The ways that podium follows; each is a regular expression of Hugging Face tokenizers (split_of).
enum class WordRule : uint8_t {
  kPodium,  // of the tokenizers that podium trains
  kGpt2,    // contractions; letters, numbers or others with a leading space; white space
  kDigits,  // the same, and every digit is a word of its own: SmolLM2
  kQwen,    // letters take any sign before them, lines end words; digits one by one: Qwen2, Qwen3
  kLlama3,  // the same, with digits by threes
};

// The regular expression. kDigits: that of kGpt2, as the digits are cut off before.
std::string_view split_of(WordRule rule);

}  // namespace podium::text
