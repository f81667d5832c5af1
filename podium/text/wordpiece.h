// BERT's uncased WordPiece tokenizer (Devlin et al. 2019, arXiv 1810.04805), as Hugging Face's
// `tokenizers` has it:
//   clean      control characters and U+FFFD go, white space becomes one kind
//   apart      CJK characters are words of their own
//   plain      canonical decomposition (NFD) without its non-spacing marks, lower case
//   words      cut at white space; a punctuation character is a word of its own
//   pieces     the longest piece of the vocabulary that the word begins with, then the longest
//              "##" piece of the rest, and so on; [UNK] for a word that cannot be spelt so, or of
//              more than 100 characters
// The Unicode tables are utf8proc's. Some of those of `tokenizers` are of Unicode 8: a few
// characters that newer versions added, or moved to another category, are classed differently
// there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "podium/text/wordpiece_file.h"

namespace podium::text {

// What words a text has; not valid UTF-8 in it is dropped.
std::vector<std::string> bert_words(std::string_view text);

// Immutable and thread-safe.
class WordPiece {
 public:
  // Throws Error when the vocabulary lacks a special token.
  WordPiece(WordPieceFile file, std::string_view where);

  // [CLS] pieces [SEP]; of the pieces the first max_tokens - 2 (max_tokens at least 2). Spellings
  // of special tokens within the text are data: they never become such tokens.
  std::vector<int32_t> encode(std::string_view text, size_t max_tokens) const;

  size_t size() const { return pieces_.size(); }
  int32_t largest_id() const { return largest_; }

 private:
  void append_word(std::string_view word, std::vector<int32_t>& ids) const;
  // The id of the longest piece that begins the word, which it shortens; -1 without one.
  int32_t cut_piece(std::string_view& word, const Vocabulary& pieces) const;

  Vocabulary pieces_, further_;  // those that begin a word; those that go on, without their "##"
  size_t max_characters_;
  int32_t unknown_, begin_, end_, largest_ = 0;
};

}  // namespace podium::text
