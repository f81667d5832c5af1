#include "podium/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <unordered_map>

#include "podium/artifact/gguf.h"
#include "podium/base/error.h"
#include "podium/text/bpe_train.h"
#include "podium/text/gguf_tokenizer.h"
#include "podium/text/pretokenize.h"
#include "podium/text/tokenizer_file.h"
#include "podium/text/unicode_words.h"

namespace podium::text {
namespace {

constexpr int kBytes = 256;

// Length of the valid UTF-8 sequence at the start of text, 0 if there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length == 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F))) {
    return 0;
  }
  if (length == 4 && ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))) {
    return 0;
  }
  return length;
}

}  // namespace

struct Tokenizer::Impl {
  struct Made {
    int32_t rank = std::numeric_limits<int32_t>::max();  // of the merge; the least comes first
    TokenId token = -1;
  };

  TokenizerFile file;
  std::array<TokenId, kBytes> byte_tokens;         // -1: none, the byte is left out
  std::unordered_map<uint64_t, Made> merged;       // by both halves
  std::unordered_map<std::string, TokenId> words;  // with whole_words
  std::map<std::string, TokenId, std::less<>> added;
  std::vector<bool> is_added;

  explicit Impl(TokenizerFile from) : file(std::move(from)), is_added(file.tokens.size()) {
    if (const auto bad = bad_added(file)) {
      throw Error(fmt::format("added token '{}' is empty or given twice", *bad),
                  "give every added token its own spelling");
    }
    byte_tokens.fill(-1);
    for (const AddedToken& token : file.added) {
      added.emplace(file.tokens[size_t(token.id)], token.id);
      is_added[size_t(token.id)] = true;
    }
    for (size_t t = 0; t < file.tokens.size(); ++t) {
      if (is_added[t]) continue;
      const std::string& token = file.tokens[t];
      if (token.size() == 1) byte_tokens[static_cast<unsigned char>(token[0])] = TokenId(t);
      if (file.whole_words) words.emplace(token, TokenId(t));
    }
    merged.reserve(file.merges.size());
    for (size_t i = 0; i < file.merges.size(); ++i) {
      const Merge& merge = file.merges[i];
      if (is_added[size_t(merge.made)]) continue;  // text never becomes an added token
      merged.emplace(key(merge.left, merge.right), Made{int32_t(i), merge.made});
    }
  }

  static uint64_t key(TokenId left, TokenId right) {
    return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
  }

  void encode_word(std::string_view word, std::vector<TokenId>& out) const {
    if (file.whole_words) {
      const auto found = words.find(std::string(word));
      if (found != words.end()) return out.push_back(found->second);
    }
    std::vector<TokenId> symbols;
    for (const char c : word) {
      const TokenId token = byte_tokens[static_cast<unsigned char>(c)];
      if (token >= 0) symbols.push_back(token);
    }
    for (;;) {
      Made best;
      uint64_t pair = 0;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        const auto found = merged.find(key(symbols[i], symbols[i + 1]));
        if (found != merged.end() && found->second.rank < best.rank) {
          best = found->second;
          pair = found->first;
        }
      }
      if (best.token < 0) break;
      size_t length = 0;
      for (size_t i = 0; i < symbols.size(); ++i) {
        const bool hit = i + 1 < symbols.size() && key(symbols[i], symbols[i + 1]) == pair;
        symbols[length++] = hit ? best.token : symbols[i];
        i += hit ? 1 : 0;
      }
      symbols.resize(length);
    }
    out.insert(out.end(), symbols.begin(), symbols.end());
  }

  // Text without added tokens.
  void encode_text(std::string_view text, std::vector<TokenId>& out) const {
    const std::string normal = file.nfc ? composed(text) : std::string();
    for (std::string_view left = file.nfc ? normal : text; !left.empty();) {
      encode_word(next_word(left, file.words), out);
    }
  }
};

Tokenizer::Tokenizer(TokenizerFile file) : impl_(std::make_shared<Impl>(std::move(file))) {}

Tokenizer Tokenizer::train(const std::vector<std::string>& texts, int vocab,
                           const std::vector<std::string>& added) {
  const int merges = vocab - kBytes - static_cast<int>(added.size());
  if (merges < 0) {
    throw Error("the vocabulary is smaller than 256 bytes and the added tokens", "enlarge it");
  }
  return Tokenizer(trained_file(learn_merges(texts, merges), added));
}

Tokenizer Tokenizer::extended(const std::vector<std::string>& spellings) const {
  TokenizerFile file = impl_->file;
  std::unordered_map<std::string_view, TokenId> ids;
  for (size_t t = 0; t < impl_->file.tokens.size(); ++t) ids.emplace(impl_->file.tokens[t], t);
  for (const std::string& spelling : spellings) {
    const auto [found, is_new] = ids.emplace(spelling, TokenId(file.tokens.size()));
    if (is_new) file.tokens.push_back(spelling);
    if (is_new || !impl_->is_added[size_t(found->second)]) file.added.push_back({found->second});
  }
  std::sort(file.added.begin(), file.added.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return Tokenizer(std::move(file));
}

void Tokenizer::save(const fs::path& tokenizer_json) const {
  write_json_atomic(tokenizer_json, to_tokenizer_json(impl_->file));
}

Tokenizer Tokenizer::parse(std::string_view tokenizer_json, std::string_view where) {
  return Tokenizer(from_tokenizer_json(parse_json(tokenizer_json, where), where));
}

Tokenizer Tokenizer::load(const fs::path& file) {
  if (file.extension() != ".gguf") return parse(read_file(file), file.string());
  const Json json = gguf_tokenizer_json(artifact::GgufFile(file), file.string());
  return Tokenizer(from_tokenizer_json(json, file.string()));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> out;
  impl_->encode_text(text, out);
  return out;
}

std::vector<TokenId> Tokenizer::encode_with_added(std::string_view text) const {
  std::vector<TokenId> out;
  size_t plain = 0;
  for (size_t i = 0; i < text.size();) {
    // The longest added token that starts here.
    auto found = impl_->added.end();
    for (auto it = impl_->added.begin(); it != impl_->added.end(); ++it) {
      if (text.substr(i).starts_with(it->first) &&
          (found == impl_->added.end() || it->first.size() > found->first.size())) {
        found = it;
      }
    }
    if (found == impl_->added.end()) {
      ++i;
      continue;
    }
    impl_->encode_text(text.substr(plain, i - plain), out);
    out.push_back(found->second);
    i += found->first.size();
    plain = i;
  }
  impl_->encode_text(text.substr(plain), out);
  return out;
}

std::string Tokenizer::decode(std::span<const TokenId> tokens) const {
  std::string bytes, out;
  for (const TokenId token : tokens) bytes += bytes_of(token);
  for (std::string_view left = bytes; !left.empty();) {
    const size_t length = utf8_length(left);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : left.substr(0, length);
    left.remove_prefix(std::max<size_t>(1, length));
  }
  return out;
}

int Tokenizer::vocab() const { return static_cast<int>(impl_->file.tokens.size()); }

TokenId Tokenizer::added(std::string_view spelling) const {
  const auto found = impl_->added.find(spelling);
  if (found == impl_->added.end()) {
    throw Error(
        fmt::format("the tokenizer has no token '{}'", spelling),
        "use the tokenizer that was trained with this policy; one of an older podium: train again");
  }
  return found->second;
}

bool Tokenizer::is_added(TokenId token) const { return impl_->is_added[size_t(token)]; }

fs::path tokenizer_of(const fs::path& checkpoint) {
  return checkpoint.extension() == ".gguf" ? checkpoint : checkpoint / "tokenizer.json";
}

std::string_view Tokenizer::bytes_of(TokenId token) const {
  PODIUM_CHECK(token >= 0 && token < vocab());
  return impl_->file.tokens[size_t(token)];
}

}  // namespace podium::text
