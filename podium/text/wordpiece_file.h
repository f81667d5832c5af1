// The vocabulary of a WordPiece tokenizer on disk: Hugging Face's `tokenizer.json`, or `vocab.txt`
// (a piece a line) with a `tokenizer_config.json` beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "podium/base/files.h"

namespace podium::text {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Vocabulary = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

struct WordPieceFile {
  Vocabulary vocabulary;     // spelling to id, 0 or more
  int max_characters = 100;  // of a word
};

// From dir's tokenizer.json, else from its vocab.txt. Throws Error when there is neither, on what
// is malformed, and by name on what would tokenise in another way: another model, cased text, kept
// accents, tokens beside the vocabulary.
WordPieceFile read_wordpiece(const fs::path& dir);

}  // namespace podium::text
