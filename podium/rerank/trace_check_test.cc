#include "podium/rerank/trace_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "podium/rerank/shown_items.h"
#include "podium/rerank/test_world.h"

namespace podium::rerank {
namespace {

// Items i0.. of the world are in the categories Hair Care, Skin Care, Makeup and Tools by turns,
// each with the price 1.00.
class TraceCheckTest : public testing::Test {
 protected:
  TraceCheckTest() {
    for (int item : {0, 4, 1}) slate_.history.push_back(world_.item(item));  // hair, hair, skin
    for (int item : {8, 5, 9}) slate_.candidates.push_back({.item = world_.item(item)});
    slate_.candidates[0].evidence[kTogether] = 3;
    slate_.candidates[0].evidence[kCategory] = 2;
    slate_.candidates[1].evidence[kPopular] = 1;
  }

  // {0}, {1}, {2}: a candidate's name and semantic ID; {h}: the oldest item's semantic ID; <c_1>: a
  // name alone.
  std::vector<TokenId> trace(std::string text) const {
    const auto replace = [&](const std::string& from, const std::string& to) {
      for (size_t at; (at = text.find(from)) != std::string::npos;) {
        text.replace(at, from.size(), to);
      }
    };
    for (size_t i = 0; i < slate_.candidates.size(); ++i) {
      replace(fmt::format("{{{}}}", i),
              fmt::format("<c_{}>{}", i + 1, sid(slate_.candidates[i].item)));
    }
    replace("{h}", sid(slate_.history.front()));
    return world_.tokenizer().encode_with_added(text);
  }
  std::string sid(ItemIndex item) const { return sids_.spell(item); }
  TraceVerdict check(const std::string& text, const std::vector<int>& order = {0, 1, 2}) const {
    return TraceChecker(world_.context()).check(slate_, trace(text), order);
  }
  void expect_grounded(const std::string& text) const {
    EXPECT_EQ(check(text).ungrounded, "") << text;
  }
  void expect_flaw(const std::string& text, const std::string& flaw) const {
    EXPECT_NE(check(text).ungrounded.find(flaw), std::string::npos)
        << text << " -> " << check(text).ungrounded;
  }

  TestWorld world_;
  const sid::SidTable& sids_ = world_.sids();
  Slate slate_;
};

TEST_F(TraceCheckTest, WhatTheEvidenceTeacherWritesIsGrounded) {
  const TraceVerdict verdict =
      check("pattern: Hair Care.{0} together strong, same category.{1} popular weak. best<c_1>");
  EXPECT_EQ(verdict.in_words(), "grounded, consistent, no repeats");
  expect_grounded("pattern: mixed.{2} no evidence. best<c_3>");
  expect_grounded("pattern: Hair.{0} together strong. best<c_1>");  // its first words
}

TEST_F(TraceCheckTest, EveryTraceOfTheEvidenceTeacherPasses) {
  PromptOptions options;
  options.max_history = 4;
  const auto context = world_.context(options);
  const TraceChecker checker(context);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const Slate slate = world_.random_slate(rng, 2 + int(rng.below(12)), int(rng.below(7)));
    const auto sample = EvidenceTeacher(1.0).sample(context, slate, rng);
    EXPECT_EQ(checker.check(slate, sample.trace, sample.order).in_words(),
              "grounded, consistent, no repeats")
        << world_.tokenizer().decode(sample.trace);
  }
}

TEST_F(TraceCheckTest, ForeignItemsAreSeen) {
  expect_flaw("{0} together strong. best<c_4>", "<c_4> is no candidate");
  const std::string foreign = sid(world_.item(30));
  expect_flaw("pattern: mixed.<c_1>" + foreign + " together strong. best<c_1>", "by that name");
  expect_flaw("After " + foreign + " comes{0}. best<c_1>", "was not shown");
  expect_flaw("<s_a_0><s_b_0> best<c_1>", "was not shown");  // half an ID
  expect_grounded("After {h} comes{0} together strong. best<c_1>");
}

TEST_F(TraceCheckTest, ForeignCategoriesAreSeen) {
  expect_flaw("pattern: Makeup.{0} together strong. best<c_1>", "'Makeup'");
  expect_flaw("pattern: Hair Ca.{0} together strong. best<c_1>", "'Hair Ca'");
  expect_flaw("The user likes Makeup. best<c_1>", "category 'Makeup'");
  expect_grounded("The user likes Hair Care, then Skin Care. best<c_1>");
  expect_grounded("The user likes Makeupless days. best<c_1>");
}

TEST_F(TraceCheckTest, FalseEvidenceIsSeen) {
  expect_flaw("{0} together weak. best<c_1>", "'together weak'");
  expect_flaw("{1} popular weak, similar. best<c_2>", "'similar'");
  expect_flaw("{0} no evidence. best<c_1>", "'no evidence'");
  expect_grounded("{0} goes well with the history. best<c_1>");
}

TEST_F(TraceCheckTest, CountsAndDatesMustBeTrueOfWhatWasShown) {
  expect_grounded("3 items were bought, 2 of them Hair Care, for 1.00 each. best<c_1>");
  expect_grounded("Title 8 fits. best<c_1>");
  expect_flaw("7 items were bought. best<c_1>", "number 7");
  expect_flaw("Bought on 2014-05-12. best<c_1>", "was not shown");
  EXPECT_EQ(numbers_in("a2, 4.50 and 10."), (std::vector<double>{2, 4.5, 10}));
}

TEST_F(TraceCheckTest, TheTraceMustEndWithTheAnswersFirst) {
  EXPECT_TRUE(check("{0} together strong. best<c_1>", {0, 1, 2}).consistent);
  EXPECT_FALSE(check("{0} together strong. best<c_1>", {1, 0, 2}).consistent);
  EXPECT_FALSE(check("{0} together strong. best", {0, 1, 2}).consistent);
  EXPECT_FALSE(check("{0} together strong. best<c_1>", {}).consistent);
  EXPECT_FALSE(check("", {0, 1, 2}).consistent);
}

TEST_F(TraceCheckTest, ACandidateNamedTwiceIsARepeat) {
  EXPECT_FALSE(check("{0} together strong.{1} popular weak. best<c_2>").repeats);
  EXPECT_TRUE(check("{0} together strong.{0} together strong. best<c_1>").repeats);
  EXPECT_TRUE(check("{0} together strong, unlike<c_1>.{1} popular weak. best<c_2>").repeats);
}

TEST_F(TraceCheckTest, SharesAreOfAllTraces) {
  const std::vector<TraceVerdict> verdicts = {
      {"", true, false}, {"x", true, false}, {"", false, true}, {"", true, false}};
  const TraceShares shares = shares_of(verdicts);
  EXPECT_DOUBLE_EQ(shares.grounded, 0.75);
  EXPECT_DOUBLE_EQ(shares.consistent, 0.75);
  EXPECT_DOUBLE_EQ(shares.repeats, 0.25);
  EXPECT_DOUBLE_EQ(shares_of({}).grounded, -1);
}

}  // namespace
}  // namespace podium::rerank
