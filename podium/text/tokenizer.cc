#include "podium/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "podium/base/error.h"
#include "podium/text/bpe_train.h"
#include "podium/text/pretokenize.h"
#include "podium/text/tokenizer_file.h"

namespace podium::text {
namespace {

using Pair = std::pair<TokenId, TokenId>;
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
  std::vector<std::string> tokens;  // raw bytes; spelling if added
  std::vector<Pair> merges;
  std::map<Pair, TokenId> merged;  // smaller id: earlier merge
  std::map<std::string, TokenId, std::less<>> added;
  TokenId first_added = 0;

  void build(const std::vector<Pair>& pairs, const std::vector<std::string>& spellings) {
    for (int b = 0; b < kBytes; ++b) tokens.emplace_back(1, static_cast<char>(b));
    for (const Pair& pair : pairs) {
      merged.emplace(pair, static_cast<TokenId>(tokens.size()));
      merges.push_back(pair);
      tokens.push_back(tokens[size_t(pair.first)] + tokens[size_t(pair.second)]);
    }
    first_added = static_cast<TokenId>(tokens.size());
    for (const std::string& spelling : spellings) {
      if (spelling.empty() || !added.emplace(spelling, TokenId(tokens.size())).second) {
        throw Error(fmt::format("added token '{}' is empty or given twice", spelling),
                    "give every added token its own spelling");
      }
      tokens.push_back(spelling);
    }
  }

  void encode_word(std::string_view word, std::vector<TokenId>& out) const {
    std::vector<TokenId> symbols;
    for (const char c : word) symbols.push_back(static_cast<unsigned char>(c));
    for (;;) {
      TokenId best = first_added;
      Pair pair;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        const auto found = merged.find({symbols[i], symbols[i + 1]});
        if (found != merged.end() && found->second < best) {
          best = found->second;
          pair = found->first;
        }
      }
      if (best == first_added) break;
      size_t length = 0;
      for (size_t i = 0; i < symbols.size(); ++i) {
        const bool hit = i + 1 < symbols.size() && Pair(symbols[i], symbols[i + 1]) == pair;
        symbols[length++] = hit ? best : symbols[i];
        i += hit ? 1 : 0;
      }
      symbols.resize(length);
    }
    out.insert(out.end(), symbols.begin(), symbols.end());
  }
};

Tokenizer Tokenizer::train(const std::vector<std::string>& texts, int vocab,
                           const std::vector<std::string>& added) {
  const int merges = vocab - kBytes - static_cast<int>(added.size());
  if (merges < 0) {
    throw Error("the vocabulary is smaller than 256 bytes and the added tokens", "enlarge it");
  }
  auto impl = std::make_shared<Impl>();
  impl->build(learn_merges(texts, merges), added);
  Tokenizer tokenizer;
  tokenizer.impl_ = std::move(impl);
  return tokenizer;
}

void Tokenizer::save(const fs::path& tokenizer_json) const {
  TokenizerFile file{impl_->merges, {}};
  for (size_t t = size_t(impl_->first_added); t < impl_->tokens.size(); ++t) {
    file.added.push_back(impl_->tokens[t]);
  }
  write_json_atomic(tokenizer_json, to_tokenizer_json(file));
}

Tokenizer Tokenizer::parse(std::string_view tokenizer_json, std::string_view where) {
  const TokenizerFile file = from_tokenizer_json(parse_json(tokenizer_json, where), where);
  auto impl = std::make_shared<Impl>();
  impl->build(file.merges, file.added);
  Tokenizer tokenizer;
  tokenizer.impl_ = std::move(impl);
  return tokenizer;
}

Tokenizer Tokenizer::load(const fs::path& tokenizer_json) {
  return parse(read_file(tokenizer_json), tokenizer_json.string());
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> out;
  while (!text.empty()) impl_->encode_word(next_word(text), out);
  return out;
}

std::vector<TokenId> Tokenizer::encode_with_added(std::string_view text) const {
  std::vector<TokenId> out;
  size_t plain = 0;
  const auto flush = [&](size_t end) {
    for (std::string_view left = text.substr(plain, end - plain); !left.empty();) {
      impl_->encode_word(next_word(left), out);
    }
  };
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
    flush(i);
    out.push_back(found->second);
    i += found->first.size();
    plain = i;
  }
  flush(text.size());
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

int Tokenizer::vocab() const { return static_cast<int>(impl_->tokens.size()); }

TokenId Tokenizer::added(std::string_view spelling) const {
  const auto found = impl_->added.find(spelling);
  if (found == impl_->added.end()) {
    throw Error(
        fmt::format("the tokenizer has no token '{}'", spelling),
        "use the tokenizer that was trained with this policy; one of an older podium: train again");
  }
  return found->second;
}

bool Tokenizer::is_added(TokenId token) const { return token >= impl_->first_added; }

std::string_view Tokenizer::bytes_of(TokenId token) const {
  PODIUM_CHECK(token >= 0 && token < vocab());
  return impl_->tokens[size_t(token)];
}

}  // namespace podium::text
