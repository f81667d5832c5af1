#include "podium/rerank/grammar.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "podium/rerank/reward.h"
#include "podium/rerank/test_world.h"

namespace podium::rerank {
namespace {

// Random tokens wherever the grammar leaves a choice.
std::vector<TokenId> random_walk(PermutationGrammar& grammar, const std::vector<uint8_t>& mask,
                                 Rng& rng) {
  std::vector<TokenId> tokens;
  while (!grammar.done()) {
    TokenId token;
    if (grammar.kind() == TokenKind::kTrace) {
      EXPECT_TRUE(grammar.allowed().empty());
      do {
        token = TokenId(rng.below(mask.size()));
      } while (!mask[token]);
    } else {
      EXPECT_EQ(grammar.kind() == TokenKind::kForced, grammar.allowed().size() == 1);
      EXPECT_TRUE(std::is_sorted(grammar.allowed().begin(), grammar.allowed().end()));
      token = grammar.allowed()[rng.below(grammar.allowed().size())];
    }
    tokens.push_back(token);
    grammar.accept(token);
  }
  return tokens;
}

class GrammarTest : public testing::Test {
 protected:
  TestWorld world_;
};

TEST_F(GrammarTest, EveryWalkIsAPermutationThatParses) {
  const auto context = world_.context();
  const auto mask = trace_mask(world_.tokenizer(), world_.vocabulary());
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const int k = 2 + int(rng.below(20));
    const bool with_trace = rng.below(2) == 1;
    const Slate slate = world_.random_slate(rng, k);
    PermutationGrammar grammar(world_.vocabulary(), size_t(k), with_trace, int(rng.below(30)));
    const auto tokens = random_walk(grammar, mask, rng);
    ASSERT_TRUE(is_permutation_of(grammar.order(), size_t(k)));
    EXPECT_EQ(parse_answer(context, slate, tokens).order, grammar.order());
    const auto text = world_.tokenizer().decode(std::span(tokens).first(tokens.size() - 1));
    const Json json = parse_json(text, "answer");
    EXPECT_EQ(json.contains("explanation"), with_trace);
    EXPECT_EQ(json["recommendations"].size(), size_t(k));
  }
}

TEST_F(GrammarTest, TraceEndsAtItsLimit) {
  PermutationGrammar grammar(world_.vocabulary(), 3, true, 2);
  const auto& v = world_.vocabulary();
  ASSERT_EQ(grammar.kind(), TokenKind::kForced);
  EXPECT_EQ(grammar.allowed()[0], v.open_trace);
  grammar.accept(v.open_trace);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(grammar.kind(), TokenKind::kTrace);
    grammar.accept(v.code(0, 1));
  }
  ASSERT_EQ(grammar.kind(), TokenKind::kForced);
  EXPECT_EQ(grammar.allowed()[0], v.open_answer);
}

TEST_F(GrammarTest, ATraceThatEndsWithANameHasChosenIt) {
  const auto& v = world_.vocabulary();
  const auto after = [&](std::initializer_list<TokenId> trace) {
    PermutationGrammar grammar(v, 3, true, 9);
    grammar.accept(v.open_trace);
    for (const TokenId token : trace) grammar.accept(token);
    grammar.accept(v.open_answer);
    return std::vector<TokenId>(grammar.allowed().begin(), grammar.allowed().end());
  };
  EXPECT_EQ(after({v.candidate(0), v.candidate(2)}), (std::vector<TokenId>{v.candidate(2)}));
  EXPECT_EQ(after({v.candidate(2), v.code(0, 1)}).size(), 3U);
  EXPECT_EQ(after({v.candidate(7)}).size(), 3U) << "no candidate of this slate";
  EXPECT_EQ(after({}).size(), 3U);
}

TEST_F(GrammarTest, TheLastItemIsForced) {
  const auto context = world_.context();
  Rng rng(4);
  const Slate slate = world_.random_slate(rng, 5);
  const std::vector<int> order = {4, 2, 0, 1, 3};
  const auto answer = build_answer(context, slate, {}, false, order);
  PermutationGrammar grammar(world_.vocabulary(), slate.candidates.size(), false, 0);
  for (size_t i = 0; i < answer.size(); ++i) {
    const bool last_item = i + 3 >= answer.size();
    if (last_item) {
      EXPECT_EQ(grammar.kind(), TokenKind::kForced) << i;
    }
    grammar.accept(answer[i]);
  }
  EXPECT_TRUE(grammar.done());
  EXPECT_EQ(grammar.order(), order);
}

TEST_F(GrammarTest, MaskForbidsWhatBreaksTheMessage) {
  const auto& v = world_.vocabulary();
  const auto mask = trace_mask(world_.tokenizer(), v);
  for (TokenId token : {v.im_end, v.open_trace, v.open_answer_only, v.next_item, v.close_answer,
                        v.evidence(0, {1})}) {
    EXPECT_FALSE(mask[token]) << token;
  }
  for (TokenId id = 0; id < world_.tokenizer().vocab(); ++id) {
    const bool breaks =
        world_.tokenizer().bytes_of(id).find_first_of("\"\\\n\t") != std::string_view::npos;
    if (breaks && id != v.open_answer) {
      EXPECT_FALSE(mask[id]) << id;
    }
  }
  EXPECT_TRUE(mask[v.open_answer]);
  EXPECT_TRUE(mask[v.code(3, 7)]);
  EXPECT_TRUE(mask[v.candidate(0)]);
  EXPECT_TRUE(mask[world_.tokenizer().encode(" strong").front()]);
}

}  // namespace
}  // namespace podium::rerank
