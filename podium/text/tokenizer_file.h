// tokenizer.json of Hugging Face's `tokenizers`, as far as podium follows it: byte-level BPE, as
// podium, Qwen3, SmolLM2 and Llama 3 have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "podium/base/json.h"
#include "podium/text/word_rule.h"

namespace podium::text {

struct Merge {
  int32_t left = 0, right = 0, made = 0;  // ids

  bool operator==(const Merge&) const = default;
};

struct AddedToken {
  int32_t id = 0;
  bool special = true;

  bool operator==(const AddedToken&) const = default;
};

struct TokenizerFile {
  std::vector<std::string> tokens;  // by id: its bytes; the spelling of an added token
  std::vector<Merge> merges;        // the earlier ones first
  std::vector<AddedToken> added;    // by id
  WordRule words = WordRule::kPodium;
  bool nfc = false;          // text is brought to NFC first
  bool whole_words = false;  // a word that is a token is that token, whatever the merges make of it
};

// As podium trains them: ids are the 256 bytes, the merges in order (of earlier ids), then the
// added tokens. Throws Error on added tokens that are empty or given twice.
TokenizerFile trained_file(const std::vector<std::pair<int32_t, int32_t>>& merges,
                           const std::vector<std::string>& added);

// The spelling of an added token that is empty or given twice; nullopt: none is.
std::optional<std::string> bad_added(const TokenizerFile& file);

// What `tokenizers` reads and encodes alike, special tokens around a text aside: none are added.
Json to_tokenizer_json(const TokenizerFile& file);

// Throws Error on what is malformed, and by name on what would tokenise in another way: another
// model, normalizer or pre-tokenizer, ids that are missing or doubled, merges of unknown tokens.
// Tokens that the post-processor puts around a text are left out: podium's prompts have their own.
// The spellings of all tokens together are no longer than `json`'s text.
TokenizerFile from_tokenizer_json(const Json& json, std::string_view where);

}  // namespace podium::text
