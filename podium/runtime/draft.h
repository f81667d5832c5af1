// Guesses of the next tokens without a second model (prompt lookup decoding, Saxena 2023): a trace
// quotes what it has read and repeats itself.
#pragma once

#include <span>

#include "podium/text/tokenizer.h"

namespace podium::runtime {

using text::TokenId;

// What followed where the longest end of `said` (two to four tokens: one alone says little) was
// last seen: the tokens behind it in that text, at most `most`. Of equally long ends that in the
// later text counts, and in a text the later place. The last text may be `said` itself. Empty when
// the end is new.
std::span<const TokenId> look_up(std::span<const std::span<const TokenId>> texts,
                                 std::span<const TokenId> said, size_t most);

}  // namespace podium::runtime
