// Byte-level BPE: trained here, or that of a public checkpoint; stored as Hugging Face
// `tokenizer.json`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"

namespace podium::text {

using TokenId = int32_t;
struct TokenizerFile;

// Immutable and thread-safe. Ids of one that was trained here: 256 byte tokens, then merges in
// order, then added tokens.
class Tokenizer {
 public:
  // Learns `vocab` - 256 - added.size() merges (fewer when the texts run out of pairs) from texts;
  // pre-tokenised by podium's rule (pretokenize.h). Added tokens are never split or merged.
  // Deterministic.
  static Tokenizer train(const std::vector<std::string>& texts, int vocab,
                         const std::vector<std::string>& added);
  // A tokenizer.json, or what a GGUF file (*.gguf) says of its tokenizer. Throws Error on a file
  // that is malformed or that podium cannot follow (tokenizer_file.h, gguf_tokenizer.h).
  static Tokenizer load(const fs::path& file);
  static Tokenizer parse(std::string_view tokenizer_json, std::string_view where);  // its text
  void save(const fs::path& tokenizer_json) const;
  // With further added tokens, behind all others in the order given. A spelling that is a token
  // already keeps its id; an ordinary token becomes an added one.
  Tokenizer extended(const std::vector<std::string>& spellings) const;

  // Text as data: added tokens' spellings inside it are encoded as ordinary bytes, so that no
  // catalogue or user text can ever become a control token. A byte that a public tokenizer has no
  // token for is left out, as `tokenizers` does.
  std::vector<TokenId> encode(std::string_view text) const;
  // Text that we wrote ourselves: spellings of added tokens become those tokens.
  std::vector<TokenId> encode_with_added(std::string_view text) const;
  std::string decode(std::span<const TokenId> tokens) const;  // invalid UTF-8 is replaced

  int vocab() const;
  TokenId added(std::string_view spelling) const;  // throws Error when there is none
  bool is_added(TokenId token) const;
  std::string_view bytes_of(TokenId token) const;  // raw bytes of a token (spelling if added)

 private:
  explicit Tokenizer(TokenizerFile file);

  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

// Where a checkpoint has its tokenizer: a directory's tokenizer.json, or the GGUF file itself.
fs::path tokenizer_of(const fs::path& checkpoint);

}  // namespace podium::text
