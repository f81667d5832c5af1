// tokenizer.json of Hugging Face's `tokenizers`, as far as podium's own tokenizers use it:
// byte-level BPE whose ids are the 256 bytes, the merges in order, then the added tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "podium/base/json.h"

namespace podium::text {

struct TokenizerFile {
  std::vector<std::pair<int32_t, int32_t>> merges;  // ids of the halves; merge i makes id 256 + i
  std::vector<std::string> added;                   // spellings, in order of their ids
};

Json to_tokenizer_json(const TokenizerFile& file);

// Throws Error on what is malformed, and by name on what would tokenise in another way: another
// model, normalizer or pre-tokenizer, ids that are missing, doubled or in another order, merges of
// unknown tokens. The spellings of all tokens together are no longer than `json`'s text.
TokenizerFile from_tokenizer_json(const Json& json, std::string_view where);

}  // namespace podium::text
