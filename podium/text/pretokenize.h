// Splits text into the words that byte-level BPE merges within.
#pragma once

#include <string_view>

#include "podium/text/word_rule.h"

namespace podium::text {

// Cuts the first word off `text`, which must not be empty. A byte that is no UTF-8 counts as a
// sign.
std::string_view next_word(std::string_view& text, WordRule rule = WordRule::kPodium);

}  // namespace podium::text
