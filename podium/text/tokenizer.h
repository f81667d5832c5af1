// Byte-level BPE: trained here, stored as Hugging Face `tokenizer.json`.
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

// Immutable and thread-safe. Ids: 256 byte tokens, then merges in order, then added tokens.
class Tokenizer {
 public:
  // Learns `vocab` - 256 - added.size() merges (fewer when the texts run out of pairs) from texts;
  // pre-tokenised by podium's rule (pretokenize.h). Added tokens are never split or merged.
  // Deterministic.
  static Tokenizer train(const std::vector<std::string>& texts, int vocab,
                         const std::vector<std::string>& added);
  // Throws Error on a file that is malformed or that podium cannot follow (tokenizer_file.h).
  static Tokenizer load(const fs::path& tokenizer_json);
  static Tokenizer parse(std::string_view tokenizer_json, std::string_view where);  // its text
  void save(const fs::path& tokenizer_json) const;

  // Text as data: added tokens' spellings inside it are encoded as ordinary bytes, so that no
  // catalogue or user text can ever become a control token.
  std::vector<TokenId> encode(std::string_view text) const;
  // Text that we wrote ourselves: spellings of added tokens become those tokens.
  std::vector<TokenId> encode_with_added(std::string_view text) const;
  std::string decode(std::span<const TokenId> tokens) const;  // invalid UTF-8 is replaced

  int vocab() const;
  TokenId added(std::string_view spelling) const;  // throws Error when there is none
  bool is_added(TokenId token) const;
  std::string_view bytes_of(TokenId token) const;  // raw bytes of a token (spelling if added)

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace podium::text
