// tokenizer.json: what is written is read, and what would tokenise in another way is refused by
// name.
#include "podium/text/tokenizer_file.h"

#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <set>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/text/tokenizer.h"

namespace podium::text {
namespace {

// Merges of "ab", "abc" and "de"; ids 256, 257, 258, and two added tokens.
TokenizerFile small_file() {
  return trained_file({{'a', 'b'}, {256, 'c'}, {'d', 'e'}}, {"<|end|>", "<s_1>"});
}

std::string refusal(const std::function<void(Json&)>& change) {
  Json json = to_tokenizer_json(small_file());
  change(json);
  try {
    Tokenizer::parse(json.dump(), "tokenizer.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "tokenizer.json");
    EXPECT_FALSE(error.cure().empty());
    return error.message();
  }
  return "read";
}

TEST(TokenizerFile, ReadsWhatItWrites) {
  const TokenizerFile file = small_file();
  const TokenizerFile back = from_tokenizer_json(to_tokenizer_json(file), "t");
  EXPECT_EQ(back.merges, file.merges);
  EXPECT_EQ(back.added, file.added);
  EXPECT_EQ(back.tokens, file.tokens);
  const Tokenizer tokenizer = Tokenizer::parse(to_tokenizer_json(file).dump(), "t");
  EXPECT_EQ(tokenizer.encode("abcde"), (std::vector<TokenId>{257, 258}));
  EXPECT_EQ(tokenizer.added("<s_1>"), 260);
}

TEST(TokenizerFile, NewerFormsAreRead) {
  EXPECT_EQ(refusal([](Json&) {}), "read");
  EXPECT_EQ(refusal([](Json& t) { t["model"]["merges"][0] = {"a", "b"}; }), "read");
  EXPECT_EQ(refusal([](Json& t) { t["model"].erase("ignore_merges"); }), "read");
  EXPECT_EQ(refusal([](Json& t) { t["post_processor"] = {{"type", "ByteLevel"}}; }), "read");
  EXPECT_EQ(refusal([](Json& t) {
              t["post_processor"] = {{"type", "TemplateProcessing"}};
            }),
            "read");
  EXPECT_EQ(refusal([](Json& t) { t.erase("added_tokens"); }), "read");
}

TEST(TokenizerFile, IdsAreABijection) {
  for (const Json& id : {Json(-1000000), Json(-1), Json(255), Json(259), Json(1LL << 40),
                         Json(~uint64_t(0)), Json(256.5), Json("256"), Json(nullptr)}) {
    const std::string message = refusal([&](Json& t) { t["model"]["vocab"]["ab"] = id; });
    EXPECT_NE(message.find("\"ab\""), std::string::npos) << id << message;
  }
  EXPECT_NE(refusal([](Json& t) { t["model"]["vocab"].erase("abc"); }), "read");
  EXPECT_NE(refusal([](Json& t) { t["model"]["vocab"]["spare"] = 259; }), "read");
  EXPECT_NE(refusal([](Json& t) { t["model"]["vocab"]["a"] = 98; }), "read");
  EXPECT_NE(refusal([](Json& t) { t["added_tokens"][1]["id"] = 259; }).find("<s_1>"),
            std::string::npos);
  EXPECT_NE(refusal([](Json& t) { t["added_tokens"][1]["id"] = -1; }), "read");
  EXPECT_NE(refusal([](Json& t) { t["added_tokens"][1]["content"] = "<|end|>"; }), "read");
}

TEST(TokenizerFile, MergesFollowFromEarlierTokens) {
  for (const Json& merge :
       {Json("a zz"), Json("abc a"), Json("ab"), Json(""), Json(3), Json("de c"),
        Json::array({"a"}), Json::array({"a", 3}), Json("a b c")}) {
    const std::string message = refusal([&](Json& t) { t["model"]["merges"][0] = merge; });
    EXPECT_NE(message, "read") << merge;
  }
  EXPECT_NE(refusal([](Json& t) { t["model"]["merges"].push_back("a b"); }), "read");
  // Their order is their rank, whatever the ids.
  EXPECT_EQ(refusal([](Json& t) { std::swap(t["model"]["merges"][0], t["model"]["merges"][2]); }),
            "read");
  EXPECT_NE(refusal([](Json& t) { t["model"]["merges"] = Json::object(); }), "read");
}

TEST(TokenizerFile, OtherWaysToTokeniseAreRefusedByName) {
  const auto named = [](const std::string& what, const std::function<void(Json&)>& change) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  named("Unigram", [](Json& t) { t["model"]["type"] = "Unigram"; });
  named("NFKC", [](Json& t) { t["normalizer"] = {{"type", "NFKC"}}; });
  named("ByteLevel", [](Json& t) { t["pre_tokenizer"] = {{"type", "ByteLevel"}}; });
  named("splits words",
        [](Json& t) { t["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; });
  named("Removed", [](Json& t) { t["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed"; });
  named("splits words",
        [](Json& t) { t["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true; });
  named("added spaces",
        [](Json& t) { t["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; });
  named("BertProcessing", [](Json& t) { t["post_processor"] = {{"type", "BertProcessing"}}; });
  named("WordPiece", [](Json& t) { t["decoder"] = {{"type", "WordPiece"}}; });
  named("dropout", [](Json& t) { t["model"]["dropout"] = 0.1; });
  named("unk_token", [](Json& t) { t["model"]["unk_token"] = "<unk>"; });
  named("byte_fallback", [](Json& t) { t["model"]["byte_fallback"] = true; });
  named("ignore_merges", [](Json& t) { t["model"]["ignore_merges"] = 3; });
  named("end_of_word_suffix", [](Json& t) { t["model"]["end_of_word_suffix"] = "</w>"; });
  named("lstrip", [](Json& t) { t["added_tokens"][0]["lstrip"] = true; });
  named("truncation", [](Json& t) { t["truncation"] = {{"max_length", 4}}; });
  named("model", [](Json& t) { t["model"] = 3; });
}

TEST(TokenizerFile, LargeVocabulariesLoadInLinearTime) {
  constexpr int kMerges = 40000;  // today's large models have four times as many
  Rng rng(3);
  std::vector<std::pair<int32_t, int32_t>> merges;
  std::vector<std::string> spellings;
  std::set<std::string> taken;
  for (int b = 0; b < 256; ++b) spellings.emplace_back(1, char(b));
  while (merges.size() < kMerges) {
    const auto left = int32_t(rng.below(spellings.size()));
    const auto right = int32_t(rng.below(256));
    const std::string joined = spellings[size_t(left)] + spellings[size_t(right)];
    if (!taken.insert(joined).second) continue;
    merges.emplace_back(left, right);
    spellings.push_back(joined);
  }
  const std::string text = to_tokenizer_json(trained_file(merges, {})).dump();
  const std::clock_t begin = std::clock();
  const Tokenizer tokenizer = Tokenizer::parse(text, "t");
  const double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
  EXPECT_EQ(tokenizer.vocab(), 256 + kMerges);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 3);
}

}  // namespace
}  // namespace podium::text
