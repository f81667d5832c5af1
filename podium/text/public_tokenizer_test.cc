// Tokenizers of public checkpoints: words, ranks, ids and added tokens as `tokenizers` has them.
#include <gtest/gtest.h>

#include <algorithm>

#include "podium/artifact/gguf.h"
#include "podium/artifact/test_gguf.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/text/byte_letters.h"
#include "podium/text/gguf_tokenizer.h"
#include "podium/text/pretokenize.h"
#include "podium/text/tokenizer.h"
#include "podium/text/tokenizer_file.h"

namespace podium::text {
namespace {

std::string words_of(std::string_view text, WordRule rule) {
  std::string joined;
  while (!text.empty()) {
    joined += (joined.empty() ? "" : "|");
    joined += next_word(text, rule);
  }
  return joined;
}

// Recorded from the pre-tokenizers of `tokenizers`.
TEST(PublicTokenizer, WordsAreThoseOfTokenizers) {
  const std::string text = "It's IT'LL (été) x1234  ½,\tनमस्ते!\r\n\n  end…  ";
  EXPECT_EQ(words_of(text, WordRule::kGpt2),
            "It|'s| IT|'|LL| (|été|)| x|1234| | ½|,|\t|नमस|्|त|े!|\r\n\n | end|…|  ");
  EXPECT_EQ(words_of(text, WordRule::kDigits),
            "It|'s| IT|'|LL| (|été|)| x|1|2|3|4|  |½|,|\t|नमस|्|त|े!|\r\n\n | end|…|  ");
  EXPECT_EQ(words_of(text, WordRule::kQwen),
            "It|'s| IT|'LL| (|été|)| x|1|2|3|4| | |½|,|\tनमस|्त|े!\r\n\n| | end|…|  ");
  EXPECT_EQ(words_of(text, WordRule::kLlama3),
            "It|'s| IT|'LL| (|été|)| x|123|4| | |½|,|\tनमस|्त|े!\r\n\n| | end|…|  ");
  EXPECT_EQ(words_of("a\xFF\xFE b", WordRule::kQwen), "a|\xFF\xFE| b");
}

// Two special tokens first, as SmolLM2 has them; then bytes, of which one has none; the later merge
// has the smaller id.
TokenizerFile public_file(WordRule words) {
  TokenizerFile file;
  file.words = words;
  file.tokens = {"<|endoftext|>", "<|im_end|>"};
  file.added = {{0}, {1}};
  for (int b = 0; b < 255; ++b) file.tokens.emplace_back(1, char(b));
  for (const char* token : {"ab", "bc", "\",\"", " a"}) file.tokens.emplace_back(token);
  const auto id = [&](const std::string& token) {
    return int32_t(std::find(file.tokens.begin(), file.tokens.end(), token) - file.tokens.begin());
  };
  file.tokens.emplace_back("\",");
  file.merges = {{id("b"), id("c"), id("bc")},
                 {id("a"), id("b"), id("ab")},
                 {id("\""), id(","), id("\",")},
                 {id("\","), id("\""), id("\",\"")},
                 {id(" "), id("a"), id(" a")}};
  return file;
}

Tokenizer public_tokenizer(WordRule words) {
  return Tokenizer::parse(to_tokenizer_json(public_file(words)).dump(), "t");
}

TEST(PublicTokenizer, EarlierMergesComeFirstAndUnknownBytesAreLeftOut) {
  const Tokenizer t = public_tokenizer(WordRule::kDigits);
  EXPECT_EQ(t.vocab(), 262);
  EXPECT_EQ(t.encode("abc"), (std::vector<TokenId>{2 + 'a', 258}));
  EXPECT_EQ(t.encode("a\xFF"), t.encode("a"));
  EXPECT_TRUE(t.is_added(0));
  EXPECT_FALSE(t.is_added(2));
  EXPECT_EQ(t.added("<|im_end|>"), 1);
  TokenizerFile file = public_file(WordRule::kGpt2);
  file.whole_words = true;  // "abc" is no token, "ab" is one whatever its merge's rank
  const Tokenizer whole = Tokenizer::parse(to_tokenizer_json(file).dump(), "t");
  EXPECT_EQ(whole.encode("ab bc"), (std::vector<TokenId>{257, 2 + ' ', 258}));
}

TEST(PublicTokenizer, TextIsComposedFirst) {
  TokenizerFile file = public_file(WordRule::kQwen);
  file.nfc = true;
  const Tokenizer t = Tokenizer::parse(to_tokenizer_json(file).dump(), "t");
  EXPECT_EQ(t.encode("e\u0301"), t.encode("\u00e9"));
  EXPECT_NE(public_tokenizer(WordRule::kQwen).encode("e\u0301"), t.encode("\u00e9"));
}

TEST(PublicTokenizer, NewTokensFollowAndSpellingsKeepTheirIds) {
  const Tokenizer t = public_tokenizer(WordRule::kGpt2);
  const Tokenizer u = t.extended({"<|im_end|>", "<s_a_0>", "\",\"", "<s_a_1>"});
  EXPECT_EQ(u.vocab(), 264);
  EXPECT_EQ(u.added("<|im_end|>"), 1);
  EXPECT_EQ(u.added("<s_a_0>"), 262);
  EXPECT_EQ(u.added("<s_a_1>"), 263);
  EXPECT_EQ(u.added("\",\""), 259);
  EXPECT_EQ(t.encode("\",\"").size(), 1u);
  for (const TokenId token : u.encode("x\",\"x<s_a_0>")) EXPECT_FALSE(u.is_added(token));
  const fs::path file = scratch("extended.json");
  u.save(file);
  const Tokenizer again = Tokenizer::load(file);
  EXPECT_EQ(again.vocab(), 264);
  EXPECT_EQ(again.encode_with_added("abc<s_a_1> abc"), u.encode_with_added("abc<s_a_1> abc"));
  EXPECT_EQ(again.added("\",\""), 259);
}

artifact::gguf_bytes::GgufBuilder gguf(const TokenizerFile& from, std::string_view pre) {
  using namespace artifact::gguf_bytes;
  std::string tokens, types, merges;
  std::vector<std::string> letters;
  for (size_t id = 0; id < from.tokens.size(); ++id) {
    letters.push_back(id < 2 ? from.tokens[id] : to_letters(from.tokens[id]));
    tokens += word(letters.back());
    types += raw<int32_t>(id < 2 ? 3 : 1);
  }
  for (const Merge& merge : from.merges) {
    merges += word(letters[size_t(merge.left)] + " " + letters[size_t(merge.right)]);
  }
  GgufBuilder file;
  const uint64_t padded = letters.size() + 1;
  file.pair("tokenizer.ggml.model", kText, word("gpt2"));
  file.pair("tokenizer.ggml.pre", kText, word(pre));
  file.pair("tokenizer.ggml.tokens", kList, list(kText, padded, tokens + word("[PAD]")));
  file.pair("tokenizer.ggml.token_type", kList, list(kI32, padded, types + raw<int32_t>(5)));
  file.pair("tokenizer.ggml.merges", kList, list(kText, from.merges.size(), merges));
  return file;
}

TEST(PublicTokenizer, AGgufFileBringsItsOwn) {
  const TokenizerFile from = public_file(WordRule::kDigits);
  const fs::path path = scratch("model.gguf");
  write_file_atomic(path, gguf(from, "smollm").bytes());
  const Tokenizer t = Tokenizer::load(path), same = public_tokenizer(WordRule::kDigits);
  EXPECT_EQ(t.vocab(), same.vocab());
  EXPECT_EQ(t.encode("abc a12 x"), same.encode("abc a12 x"));
  EXPECT_EQ(t.added("<|im_end|>"), 1);
  write_file_atomic(path, gguf(from, "deepseek-llm").bytes());
  try {
    Tokenizer::load(path);
    ADD_FAILURE() << "read";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("deepseek-llm"), std::string::npos);
    EXPECT_EQ(error.where(), path.string());
  }
}

}  // namespace
}  // namespace podium::text
