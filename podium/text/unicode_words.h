// Words by the classes of Unicode, as the tokenizers of public checkpoints cut them.
#pragma once

#include <string>
#include <string_view>

#include "podium/text/word_rule.h"

namespace podium::text {

// Bytes of the first word of `text`, which is not empty; of every rule but kPodium.
size_t unicode_word(std::string_view text, WordRule rule);

// NFC; bytes that are no UTF-8 leave the text as it is.
std::string composed(std::string_view text);

}  // namespace podium::text
