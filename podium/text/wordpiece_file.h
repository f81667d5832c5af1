// The vocabulary of a WordPiece tokenizer on disk: Hugging Face's `tokenizer.json`, or `vocab.txt`
// (a piece a line) with a `tokenizer_config.json` beside it.
#pragma once

#include <cstdint>
#include <string>

#include "podium/base/by_string.h"
#include "podium/base/files.h"

namespace podium::text {

using Vocabulary = ByString<int32_t>;

struct WordPieceFile {
  Vocabulary vocabulary;     // spelling to id, 0 or more
  int max_characters = 100;  // of a word
};

// From dir's tokenizer.json, else from its vocab.txt. Throws Error when there is neither, on what
// is malformed, and by name on what would tokenise in another way: another model, cased text, kept
// accents, tokens beside the vocabulary.
WordPieceFile read_wordpiece(const fs::path& dir);

}  // namespace podium::text
