#include "podium/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/text/bpe_train.h"
#include "podium/text/pretokenize.h"

namespace podium::text {
namespace {

using Pair = std::pair<TokenId, TokenId>;
constexpr int kBytes = 256;

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  }
}

// GPT-2's printable stand-ins of bytes: printable Latin-1 stands for itself, the rest follow 255.
std::array<std::string, kBytes> byte_letters() {
  std::array<std::string, kBytes> letters;
  uint32_t next = 256;
  for (uint32_t b = 0; b < kBytes; ++b) {
    const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    append_utf8(letters[b], printable ? b : next++);
  }
  return letters;
}

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
  const auto letters = byte_letters();
  const auto written = [&](TokenId token) {
    std::string text;
    for (const char c : impl_->tokens[size_t(token)])
      text += letters[static_cast<unsigned char>(c)];
    return text;
  };
  Json vocab = Json::object(), merges = Json::array(), added = Json::array();
  for (TokenId t = 0; t < impl_->first_added; ++t) vocab[written(t)] = t;
  for (const Pair& pair : impl_->merges) {
    merges.push_back(written(pair.first) + " " + written(pair.second));
  }
  for (TokenId t = impl_->first_added; t < this->vocab(); ++t) {
    added.push_back({{"id", t},
                     {"content", impl_->tokens[size_t(t)]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", false},
                           {"use_regex", false}};
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", kSplitPattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  write_json_atomic(
      tokenizer_json,
      {{"version", "1.0"},
       {"truncation", nullptr},
       {"padding", nullptr},
       {"added_tokens", added},
       {"normalizer", nullptr},
       {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}}},
       {"post_processor", nullptr},
       {"decoder", byte_level},
       {"model",
        {{"type", "BPE"},
         {"dropout", nullptr},
         {"unk_token", nullptr},
         {"continuing_subword_prefix", nullptr},
         {"end_of_word_suffix", nullptr},
         {"fuse_unk", false},
         {"byte_fallback", false},
         {"vocab", vocab},
         {"merges", merges}}}});
}

namespace {

// Numbers of the merges' halves; vocab maps spellings to ids.
std::vector<Pair> read_merges(const Json& merges, const std::map<std::string, TokenId>& vocab,
                              const std::string& where) {
  std::vector<Pair> pairs;
  for (const Json& merge : merges) {
    const std::string text = merge.get<std::string>();
    const size_t space = text.find(' ');
    const auto left = vocab.find(text.substr(0, space));
    const auto right =
        space == std::string::npos ? vocab.end() : vocab.find(text.substr(space + 1));
    const auto limit = static_cast<TokenId>(kBytes + pairs.size());
    if (left == vocab.end() || right == vocab.end() || left->second >= limit ||
        right->second >= limit) {
      throw Error(fmt::format("merge '{}' does not follow from earlier tokens", text),
                  "train the tokenizer again", where);
    }
    pairs.emplace_back(left->second, right->second);
  }
  return pairs;
}

}  // namespace

Tokenizer Tokenizer::load(const fs::path& tokenizer_json) {
  const Json json = read_json(tokenizer_json);
  const std::string where = tokenizer_json.string();
  try {
    const Json& pre = json.at("pre_tokenizer").at("pretokenizers").at(0);
    if (pre.at("pattern").at("Regex").get<std::string>() != kSplitPattern) {
      throw Error("this tokenizer splits words in another way", "use one trained by podium", where);
    }
    std::map<std::string, TokenId> vocab;
    for (const auto& [text, id] : json.at("model").at("vocab").items()) {
      vocab[text] = id.get<TokenId>();
    }
    const auto letters = byte_letters();
    for (TokenId b = 0; b < kBytes; ++b) {
      const auto found = vocab.find(letters[size_t(b)]);
      if (found == vocab.end() || found->second != b) {
        throw Error("byte tokens are not the first 256", "train the tokenizer again", where);
      }
    }
    std::vector<std::string> added;
    const Json& merges = json.at("model").at("merges");
    for (const Json& token : json.at("added_tokens")) {
      if (token.at("id").get<size_t>() != kBytes + merges.size() + added.size()) {
        throw Error("added tokens do not follow the merges", "train the tokenizer again", where);
      }
      added.push_back(token.at("content").get<std::string>());
    }
    auto impl = std::make_shared<Impl>();
    impl->build(read_merges(merges, vocab, where), added);
    Tokenizer tokenizer;
    tokenizer.impl_ = std::move(impl);
    return tokenizer;
  } catch (const Json::exception& e) {
    throw Error(std::string("malformed tokenizer: ") + e.what(), "train it again", where);
  }
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
