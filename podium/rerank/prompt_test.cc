#include "podium/rerank/prompt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "podium/base/error.h"
#include "podium/rerank/test_world.h"

namespace podium::rerank {
namespace {

class PromptTest : public testing::Test {
 protected:
  Slate two_items() {
    Slate slate;
    slate.id = "u@1";
    slate.history = {2, 3, 4};
    SlateCandidate first{.item = 0, .upstream_score = 2}, second{.item = 1, .upstream_score = 1};
    first.evidence[kTogether] = 3;
    first.evidence[kBrand] = 1;
    first.gain = 1;
    slate.candidates = {first, second};
    return slate;
  }
  std::string sid(ItemIndex item) { return world_.sids().spell(item); }

  TestWorld world_;
};

TEST_F(PromptTest, GoldenText) {
  PromptOptions options;
  options.max_history = 2;
  const Prompt prompt = build_prompt(world_.context(options), two_items());
  EXPECT_EQ(world_.tokenizer().decode(prompt.tokens),
            "seen: " + sid(3) + sid(4) + sid(0) + sid(1) + "<c_1><c_2>");
  EXPECT_EQ(world_.tokenizer().decode(prompt.evidence), "<e_a_3000><e_b_0010><e_a_0000><e_b_0000>");
}

TEST_F(PromptTest, CandidatesStandBehindTheHistoryEachBehindItsItem) {
  const Prompt prompt = build_prompt(world_.context(), two_items());
  const auto text = [&](Span span) {
    return world_.tokenizer().decode(std::span(prompt.tokens).subspan(span.begin, span.size()));
  };
  EXPECT_EQ(text({0, prompt.history()}), "seen: " + sid(2) + sid(3) + sid(4));
  ASSERT_EQ(prompt.candidates, 2u);
  const auto positions = prompt.positions();
  for (size_t t = 0; t < prompt.history(); ++t) EXPECT_EQ(positions[t], int(t));
  int next = int(prompt.history());
  for (size_t i = 0; i < 2; ++i) {
    const Span& item = prompt.item(i);
    EXPECT_EQ(text(item), sid(ItemIndex(i)));
    for (size_t t = item.begin; t < item.end; ++t) EXPECT_EQ(positions[t], next++);
    const size_t name = prompt.names() + i;
    EXPECT_EQ(text({name, name + 1}), i == 0 ? "<c_1>" : "<c_2>");
    EXPECT_EQ(positions[name], next++);
  }
  EXPECT_EQ(next, int(prompt.tokens.size()));
  EXPECT_EQ(prompt.names() + prompt.candidates, prompt.tokens.size());
}

TEST_F(PromptTest, BlocksAreTheBeginningAndEveryItem) {
  const Prompt prompt = build_prompt(world_.context(), two_items());
  ASSERT_EQ(prompt.blocks.size(), 1 + 3 + 2u);
  size_t end = 0;
  for (const Span& block : prompt.blocks) {
    EXPECT_EQ(block.begin, end);
    end = block.end;
  }
  EXPECT_EQ(end, prompt.names());
  EXPECT_EQ(prompt.blocks[3].end, prompt.history());
}

TEST_F(PromptTest, TextComesWithTheLastCodeOfEverySid) {
  Slate slate = two_items();
  slate.candidates[1].item = TestWorld::kItems;  // no part of the catalogue
  const std::vector<float> text(TestWorld::kTextWidth, 0.25F);
  slate.added = {{TestWorld::kItems, {1, 2, 3, 4}, text, "Fresh"}};
  const PromptContext context = world_.context_with_text();
  const Prompt prompt = build_prompt(context, slate);
  std::vector<ItemIndex> told;
  for (const Span& block : std::span(prompt.blocks).subspan(1)) {
    EXPECT_EQ(block.size(), size_t(TestWorld::kLevels));
    ASSERT_TRUE(is_text(prompt.tokens[block.end - 1]));
    told.push_back(item_of_text(prompt.tokens[block.end - 1]));
  }
  EXPECT_EQ(told, (std::vector<ItemIndex>{2, 3, 4, 0, TestWorld::kItems}));
  const Vocabulary& v = world_.vocabulary();
  EXPECT_EQ(last_code(context, slate, 3), v.code(3, context.sids.of(3)[3]));
  EXPECT_EQ(last_code(context, slate, TestWorld::kItems), v.code(3, 4));
  const auto of = text_of(context, slate, 3);
  EXPECT_TRUE(std::ranges::equal(
      of, context.texts.subspan(size_t{3} * TestWorld::kTextWidth, TestWorld::kTextWidth)));
  EXPECT_TRUE(std::ranges::equal(text_of(context, slate, TestWorld::kItems), text));
}

TEST_F(PromptTest, TheChoiceBeginsAtTheScores) {
  Slate slate = two_items();
  slate.candidates[0].numbers = {1, 2};
  slate.candidates[1].numbers = {3, 4};
  slate.candidates[1].ranker_score = 5;
  EXPECT_EQ(build_prompt(world_.context(), slate).scores, (std::vector<float>{2, 0, 1, 5}));
  EXPECT_EQ(build_prompt(world_.context(), slate).numbers, (std::vector<float>{1, 2, 3, 4}));
  for (SlateCandidate& candidate : slate.candidates) candidate.upstream_score = 0;
  const auto scores = build_prompt(world_.context(), slate).scores;
  EXPECT_EQ(scores[0], 0);
  EXPECT_FLOAT_EQ(scores[2], -std::log(2.0F)) << "a list without scores: by place";
}

TEST_F(PromptTest, WithoutHistoryAndEvidence) {
  PromptOptions options;
  options.evidence = false;
  options.max_history = 0;
  const Prompt prompt = build_prompt(world_.context(options), two_items());
  EXPECT_EQ(world_.tokenizer().decode(prompt.tokens), "seen: " + sid(0) + sid(1) + "<c_1><c_2>");
  EXPECT_TRUE(prompt.evidence.empty());
  EXPECT_GE(prompt.history(), 1u);
}

TEST_F(PromptTest, LabelsAndScoresNeverShow) {
  Slate slate = two_items();
  const Prompt before = build_prompt(world_.context(), slate);
  slate.candidates[0].gain = 0;
  slate.candidates[1].gain = 3;
  slate.id = "other";
  const Prompt after = build_prompt(world_.context(), slate);
  EXPECT_EQ(after.tokens, before.tokens);
  EXPECT_EQ(after.evidence, before.evidence);
}

TEST_F(PromptTest, TitlesCannotBecomeControlTokens) {
  PromptOptions options;
  options.title_tokens = 100;
  const auto tokens = build_prompt(world_.context(options), two_items()).tokens;
  const auto marks = std::count(tokens.begin(), tokens.end(), world_.vocabulary().im_end);
  EXPECT_EQ(marks, 0);  // titles hold "<|im_end|>"
  EXPECT_NE(world_.tokenizer().decode(tokens).find("Title"), std::string::npos);
  options.title_tokens = 1;
  EXPECT_LT(build_prompt(world_.context(options), two_items()).tokens.size(), tokens.size());
}

TEST_F(PromptTest, AnswerIsJsonAndParsesBack) {
  const auto context = world_.context();
  Rng rng(1);
  const Slate slate = world_.random_slate(rng, 7);
  const std::vector<int> order = {3, 1, 6, 0, 2, 5, 4};
  const auto trace = world_.tokenizer().encode("pattern: mixed.");
  const auto answer = build_answer(context, slate, trace, true, order);
  EXPECT_EQ(answer.back(), world_.vocabulary().im_end);
  const Json json =
      parse_json(world_.tokenizer().decode(std::span(answer).first(answer.size() - 1)), "answer");
  EXPECT_EQ(json["explanation"], "pattern: mixed.");
  ASSERT_EQ(json["recommendations"].size(), 7u);
  EXPECT_EQ(json["recommendations"][0], "<c_4>");
  const auto parsed = parse_answer(context, slate, answer);
  EXPECT_EQ(parsed.order, order);
  EXPECT_EQ(parsed.trace, "pattern: mixed.");
  const auto direct = build_answer(context, slate, {}, false, order);
  EXPECT_EQ(parse_answer(context, slate, direct).order, order);
}

TEST_F(PromptTest, AnythingElseIsInvalid) {
  const auto context = world_.context();
  Rng rng(2);
  const Slate slate = world_.random_slate(rng, 4);
  const std::vector<int> order = {0, 1, 2, 3};
  const auto good = build_answer(context, slate, {}, false, order);
  ASSERT_EQ(parse_answer(context, slate, good).order, order);
  EXPECT_TRUE(parse_answer(context, slate, {}).order.empty());
  for (size_t i = 0; i < good.size(); ++i) {
    auto shorter = good, changed = good, longer = good;
    shorter.erase(shorter.begin() + i);
    changed[i] = world_.vocabulary().code(0, 0);
    longer.insert(longer.begin() + i, good[i]);
    EXPECT_TRUE(parse_answer(context, slate, shorter).order.empty()) << i;
    EXPECT_TRUE(parse_answer(context, slate, changed).order.empty()) << i;
    EXPECT_TRUE(parse_answer(context, slate, longer).order.empty()) << i;
    EXPECT_TRUE(parse_answer(context, slate, std::span(good).first(i)).order.empty()) << i;
  }
  // A candidate twice, and one that the slate lacks.
  EXPECT_TRUE(parse_answer(context, slate,
                           build_answer(context, slate, {}, false, std::vector<int>{0, 1, 2, 2}))
                  .order.empty());
  auto beyond = good;
  *std::find(beyond.begin(), beyond.end(), world_.vocabulary().candidate(3)) =
      world_.vocabulary().candidate(4);
  EXPECT_TRUE(parse_answer(context, slate, beyond).order.empty());
  // A quote inside the trace would break the JSON.
  const auto quoted = world_.tokenizer().encode("a\"b");
  EXPECT_TRUE(parse_answer(context, slate, build_answer(context, slate, quoted, true, order))
                  .order.empty());
}

TEST_F(PromptTest, VocabularyTokensAreDistinct) {
  const auto& v = world_.vocabulary();
  std::set<TokenId> ids = {v.im_end,           v.open_trace, v.open_answer,
                           v.open_answer_only, v.next_item,  v.close_answer};
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(world_.tokenizer().bytes_of(v.code(2, 5)), "<s_c_5>");
  Evidence evidence{};
  evidence[kPrice] = 2;
  evidence[kSimilar] = 1;
  EXPECT_EQ(world_.tokenizer().bytes_of(v.evidence(0, evidence)), "<e_a_0010>");
  EXPECT_EQ(world_.tokenizer().bytes_of(v.evidence(1, evidence)), "<e_b_0002>");
  EXPECT_EQ(world_.tokenizer().bytes_of(v.candidate(kMaxCandidates - 1)), "<c_100>");
  EXPECT_THROW(Vocabulary(world_.tokenizer(), TestWorld::kLevels, TestWorld::kCodes + 1), Error);
}

}  // namespace
}  // namespace podium::rerank
