#include "podium/rerank/claims.h"

#include <gtest/gtest.h>

#include <set>

#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/grammar.h"
#include "podium/rerank/test_world.h"
#include "podium/rerank/trace_check.h"

namespace podium::rerank {
namespace {

class Claims : public testing::Test {
 protected:
  // An answer of random choices, and the kinds of its tokens.
  std::vector<TokenId> random_answer(const Slate& slate, int max_trace = 96) {
    PermutationGrammar grammar(context_, slate, true, max_trace);
    std::vector<TokenId> tokens;
    kinds_.clear();
    for (; !grammar.done(); grammar.accept(tokens.back())) {
      const auto allowed = grammar.allowed();
      EXPECT_FALSE(allowed.empty());
      kinds_.push_back(grammar.kind());
      tokens.push_back(allowed[rng_.below(allowed.size())]);
    }
    order_ = grammar.order();
    return tokens;
  }

  TestWorld world_;
  PromptContext context_ = world_.context({.claims = true});
  Rng rng_{11};
  std::vector<TokenKind> kinds_;
  std::vector<int> order_;
};

TEST_F(Claims, WhateverIsSaidIsTrue) {
  const TraceChecker checker(context_);
  std::set<std::string> said;
  for (int i = 0; i < 200; ++i) {
    const Slate slate = world_.random_slate(rng_, 2 + int(rng_.below(8)), int(rng_.below(6)));
    const auto tokens = random_answer(slate);
    const auto trace = trace_of(context_, tokens);
    const TraceVerdict verdict = checker.check(slate, trace, order_);
    EXPECT_EQ(verdict.in_words(), "grounded, consistent, no repeats")
        << world_.tokenizer().decode(trace);
    said.insert(world_.tokenizer().decode(trace));
  }
  EXPECT_GT(said.size(), 190U) << "there is something to choose";
}

TEST_F(Claims, AreReadBack) {
  for (int i = 0; i < 200; ++i) {
    const Slate slate = world_.random_slate(rng_, 2 + int(rng_.below(8)), int(rng_.below(6)));
    const auto tokens = random_answer(slate);
    const auto trace = trace_of(context_, tokens);
    const std::string text = world_.tokenizer().decode(trace);
    const auto cited = citations(context_, slate, trace);
    ASSERT_EQ(cited.size(), kCitations) << text;
    size_t at = 0;
    for (const Citation& citation : cited) {
      const Evidence& evidence = slate.candidates[citation.candidate].evidence;
      const std::string said = fmt::format("<c_{}>{}", citation.candidate + 1,
                                           evidence_text(evidence, citation.kinds.size()));
      const size_t found = text.find(said, at);
      ASSERT_NE(found, std::string::npos) << said << " in " << text;
      at = found + said.size();
      EXPECT_NE(text[at], ',') << "all that is said of it";
    }
    const auto cut = trace.first(trace.size() - 1);
    EXPECT_TRUE(citations(context_, slate, cut).empty()) << "it ends too soon";
  }
}

TEST_F(Claims, HoldTheEvidenceTeachersTraces) {
  const EvidenceTeacher teacher(1.0);
  for (int i = 0; i < 200; ++i) {
    const Slate slate = world_.random_slate(rng_, 2 + int(rng_.below(8)), int(rng_.below(6)));
    auto trace = teacher.sample(context_, slate, rng_).trace;
    EXPECT_EQ(foreign_to_claims(context_, slate, trace), std::nullopt);
    trace.pop_back();
    EXPECT_EQ(foreign_to_claims(context_, slate, trace), "(it ends too soon)");
  }
  const Slate slate = world_.random_slate(rng_, 4);
  const auto prose = world_.tokenizer().encode("I like the first.");
  EXPECT_EQ(foreign_to_claims(context_, slate, prose), "I like the first.");
}

TEST_F(Claims, MostTokensAreForced) {
  size_t forced = 0, words = 0, names = 0, free = 0;
  for (int i = 0; i < 50; ++i) {
    random_answer(world_.random_slate(rng_, 8));
    forced += size_t(std::ranges::count(kinds_, TokenKind::kForced));
    words += size_t(std::ranges::count(kinds_, TokenKind::kWord));
    names += size_t(std::ranges::count(kinds_, TokenKind::kCite));
    free += size_t(std::ranges::count(kinds_, TokenKind::kTrace));
  }
  EXPECT_EQ(names, 50 * 3U) << "two that are cited, and the choice";
  EXPECT_EQ(free, 0U);
  EXPECT_GT(words, 50U);
  EXPECT_GT(forced, 3 * words);
}

TEST_F(Claims, ATraceThatIsCutShortLeavesAWholeAnswer) {
  for (int most = 0; most < 20; ++most) {
    const Slate slate = world_.random_slate(rng_, 5);
    const auto tokens = random_answer(slate, most);
    EXPECT_LE(trace_of(context_, tokens).size(), size_t(most));
    EXPECT_EQ(parse_answer(context_, slate, tokens).order, order_);
  }
}

}  // namespace
}  // namespace podium::rerank
