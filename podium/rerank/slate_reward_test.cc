// Rewards of whole answers: the gates by hand, the specifications, every term, no paid copies.
#include "podium/rerank/slate_reward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/data/list_measures.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/test_orders.h"

namespace podium::rerank {
namespace {

// Candidates 0, 1, .. with these labels.
Slate slate_of(const Gains& gains) {
  Slate slate;
  for (size_t i = 0; i < gains.size(); ++i) {
    slate.candidates.push_back({.item = ItemIndex(i), .gain = gains[i]});
  }
  return slate;
}

// Only by labels.
double reward(const Gains& gains, const Order& answer, const std::string& spec,
              RewardGate gate = RewardGate::kConditional, double alpha = 0.1) {
  return SlateReward({parse_reward(spec), gate, alpha}, nullptr)(slate_of(gains), answer);
}
constexpr auto kPlain = RewardGate::kPlain;

TEST(SlateReward, ConditionalGateByHand) {
  const Gains second{0, 1};
  const double at_two = 1 / std::log2(3);
  EXPECT_DOUBLE_EQ(reward(second, {}, "ndcg"), 0);
  EXPECT_DOUBLE_EQ(reward(second, {0, 0}, "ndcg", kPlain), 0);
  EXPECT_NEAR(reward(second, {0, 1}, "ndcg", kPlain), at_two + 0.1, 1e-12);
  EXPECT_NEAR(reward(second, {0, 1}, "ndcg"), 0.1, 1e-12);  // a copy earns only its format
  EXPECT_NEAR(reward(second, {1, 0}, "ndcg"), 1.1, 1e-12);
  // The input order was optimal: copying it is right.
  EXPECT_NEAR(reward({1, 0}, {0, 1}, "ndcg"), 1.1, 1e-12);
  EXPECT_NEAR(reward({1, 0}, {1, 0}, "ndcg"), at_two + 0.1, 1e-12);
}

TEST(SlateReward, GainsAreRelativeToTheInput) {
  const double at_two = 1 / std::log2(3);
  EXPECT_NEAR(reward({0, 1}, {1, 0}, "ndcg-gain"), 1 - at_two + 0.1, 1e-12);
  EXPECT_NEAR(reward({1, 0}, {1, 0}, "ndcg-gain"), at_two - 1, 1e-12);  // no bonus for harm
  EXPECT_NEAR(reward({1, 0, 0}, {0, 2, 1}, "ndcg-gain"), 0.1, 1e-12);   // kept what was best
  // Swapping two negatives at the end leaks through the absolute form's gate, not through this.
  EXPECT_NEAR(reward({0, 1, 0, 0}, {0, 1, 3, 2}, "ndcg-gain"), 0, 1e-12);
  EXPECT_NEAR(reward({0, 1, 0, 0}, identity(4), "ndcg-gain"), 0, 1e-12);
  EXPECT_NEAR(reward({0, 1, 0, 0}, identity(4), "ndcg-gain", kPlain), 0.1, 1e-12);
  EXPECT_NEAR(reward({0, 1, 0}, {1, 0, 2}, "auc-gain", RewardGate::kConditional, 0.2), 0.7, 1e-12);
  EXPECT_NEAR(reward({0, 0, 1, 0}, {2, 0, 1, 3}, "rank"), 0.5 + 0.1, 1e-12);
}

TEST(SlateReward, ImprovingGateByHand) {
  constexpr auto kImproving = RewardGate::kImproving;
  const Gains second{0, 1, 0, 0};
  EXPECT_NEAR(reward(second, identity(4), "ndcg", kImproving), 0.1, 1e-12);
  EXPECT_NEAR(reward(second, {0, 1, 3, 2}, "ndcg", kImproving), 0.1, 1e-12) << "no better";
  EXPECT_NEAR(reward(second, {0, 2, 1, 3}, "ndcg", kImproving), 0.1, 1e-12) << "worse";
  EXPECT_NEAR(reward(second, {1, 0, 2, 3}, "ndcg", kImproving), 1.1, 1e-12);
  const Gains best{1, 0, 0};
  EXPECT_NEAR(reward(best, identity(3), "ndcg", kImproving), 1.1, 1e-12);
  EXPECT_NEAR(reward(best, {0, 2, 1}, "ndcg", kImproving), 1.1, 1e-12) << "as good as the best";
  EXPECT_NEAR(reward(best, {1, 0, 2}, "ndcg", kImproving), 0.1, 1e-12);
  // Of gains the conditional gate asks the same already.
  for (const Order& answer : {Order{0, 1, 3, 2}, Order{0, 2, 1, 3}, Order{1, 0, 2, 3}}) {
    EXPECT_EQ(reward(second, answer, "ndcg-gain", kImproving), reward(second, answer, "ndcg-gain"));
  }
  EXPECT_DOUBLE_EQ(reward(second, {0, 0, 1, 2}, "ndcg", kImproving), 0) << "no permutation";
  EXPECT_EQ(parse_gate("improving"), kImproving);
  EXPECT_EQ(parse_gate("plain"), kPlain);
  EXPECT_THROW(parse_gate("strict"), Error);
}

TEST(SlateReward, SpecificationsAreRead) {
  EXPECT_EQ(parse_reward("ndcg-gain").terms, RewardSpec().terms);
  EXPECT_TRUE(parse_reward("ndcg-gain").gain);
  EXPECT_FALSE(parse_reward("ndcg").gain);
  const auto terms = parse_reward("ndcg-gain:1,coverage:0.2,ild:0.2@10,novelty@3").terms;
  EXPECT_EQ(terms, (std::vector<WeightedTerm>{{RewardTerm::kNdcg, 1, 10},
                                              {RewardTerm::kCoverage, 0.2, 5},
                                              {RewardTerm::kDistance, 0.2, 10},
                                              {RewardTerm::kNovelty, 1, 3}}));
  EXPECT_FALSE(parse_reward("auc-gain:2,rank").needs_facts());
  EXPECT_TRUE(parse_reward("auc-gain:2,alpha-ndcg").needs_facts());
}

TEST(SlateReward, SpecificationsAreRefusedWithTheReason) {
  const auto fault = [](const std::string& spec) -> std::string {
    try {
      parse_reward(spec);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  const auto says = [&](const std::string& spec, const std::string& what) {
    EXPECT_NE(fault(spec).find(what), std::string::npos) << spec << ": " << fault(spec);
  };
  says("", "no term ''");
  says("ndcg-gain,", "no term ''");
  says("diversity:1", "no term 'diversity'");
  says("ndcg-gain,ndcg", "no term 'ndcg'");  // a value among gains
  says("ild:0.2,ild:0.3@7", "repeats a term");
  for (const char* weight :
       {"ild:", "ild:0", "ild:-1", "ild:nan", "ild:inf", "ild:1x", "ild:1:2"}) {
    says(weight, "the weight of ild");
  }
  for (const char* ranks : {"ild:1@", "ild@0", "ild@2.5", "ild@101", "ild@-1", "ild@3@4"}) {
    says(ranks, "the ranks of ild");
  }
  says("rank@5", "rank is of all ranks");
}

// Ten items: categories 0 0 0 0 1 1 1 2 2 2, vectors by category, the rest by number.
data::ItemFacts ten_facts() {
  static std::vector<float> vectors;  // what facts point to
  vectors.assign(30, 0);
  data::ItemFacts facts;
  for (uint32_t i = 0; i < 10; ++i) {
    const uint32_t category = i < 4 ? 0 : i < 7 ? 1 : 2;
    facts.categories.push_back({category});
    vectors[i * 3 + category] = 1;
    facts.novelty.push_back(float(i) / 10);
    facts.freshness.push_back(1 - float(i) / 10);
    facts.price.push_back(i == 9 ? std::numeric_limits<float>::quiet_NaN() : float(i * i));
    facts.group.push_back(1 + i % 2);
  }
  facts.vectors = vectors;
  facts.dim = 3;
  return facts;
}

double value(const std::string& spec, const Order& order, const Gains& gains = Gains(10, 1)) {
  const data::ItemFacts facts = ten_facts();
  return SlateReward({.spec = parse_reward(spec)}, &facts).value(slate_of(gains), order);
}

TEST(SlateReward, EveryTermByHand) {
  const Order input = identity(10), mixed{0, 4, 7, 1, 5, 8, 2, 6, 9, 3};
  const double d2 = 1 / std::log2(3);
  EXPECT_DOUBLE_EQ(value("coverage@3", input), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value("coverage@3", mixed), 1);
  EXPECT_DOUBLE_EQ(value("ild@3", input), 0);
  EXPECT_DOUBLE_EQ(value("ild@3", mixed), 1);
  EXPECT_NEAR(value("novelty@2", mixed), 0.4 * d2 / (1 + d2), 1e-6);
  EXPECT_NEAR(value("freshness@2", mixed), (1 + 0.6 * d2) / (1 + d2), 1e-6);
  EXPECT_NEAR(value("margin@2", {9, 8, 0, 1, 2, 3, 4, 5, 6, 7}), d2 / (1 + d2), 1e-6);
  EXPECT_NEAR(value("exposure@1", input), 0.5, 1e-12);
  EXPECT_NEAR(value("alpha-ndcg", mixed), 1, 1e-12);
  EXPECT_LT(value("alpha-ndcg", input), 0.9);
  const Gains third{0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_DOUBLE_EQ(value("rank", input, third), 0.8);
  EXPECT_NEAR(value("ndcg-gain:2,coverage:0.5@3", input, third), 2 * 0.5 + 0.5 / 3, 1e-12);
}

TEST(SlateReward, WhatTheCatalogueLacksIsRefused) {
  data::ItemFacts bare;
  bare.categories.resize(3);
  bare.novelty = bare.freshness = {0, 0, 0};
  bare.price.assign(3, std::numeric_limits<float>::quiet_NaN());
  bare.group = {0, 0, 0};
  for (const char* term : {"alpha-ndcg", "coverage", "ild", "margin", "exposure"}) {
    EXPECT_THROW(SlateReward({.spec = parse_reward(term)}, &bare), Error) << term;
  }
  EXPECT_NO_THROW(SlateReward({.spec = parse_reward("ndcg-gain,novelty,freshness")}, &bare));
}

class SlateRewardProperties : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    Rng rng = Rng(11).fork(uint64_t(GetParam()));
    for (size_t i = 0; i < 10; ++i) gains.push_back(uint8_t(rng.below(3)));
    gains[0] = 0;
    gains[1] = 1;
    gains[8] = gains[9] = 0;
    answer = identity(10);
    rng.shuffle(std::span(answer));
  }
  Gains gains;
  Order answer;
};

TEST_P(SlateRewardProperties, Bounds) {
  for (const char* spec : {"auc", "ndcg", "auc-gain", "ndcg-gain", "rank"}) {
    for (const auto gate : {RewardGate::kPlain, RewardGate::kConditional}) {
      const double value = reward(gains, answer, spec, gate);
      const bool relative = parse_reward(spec).gain;
      const double bonus = relative && gate == RewardGate::kConditional ? 0 : 0.1;
      EXPECT_GE(value, (relative ? -1.0 : 0.0) + bonus - 1e-12);
      EXPECT_LE(value, 1.1 + 1e-12);
    }
  }
  for (const char* term : {"alpha-ndcg", "coverage", "ild", "novelty", "freshness", "margin",
                           "exposure", "alpha-ndcg@3", "ild@10", "exposure@10"}) {
    EXPECT_GE(value(term, answer, gains), 0) << term;
    EXPECT_LE(value(term, answer, gains), 1 + 1e-12) << term;
  }
}

TEST_P(SlateRewardProperties, IdentityGateClosesOnCopiesAlone) {
  EXPECT_NEAR(reward(gains, identity(10), "ndcg"), 0.1, 1e-12);  // gains[0] = 0 < gains[1]
  ASSERT_NE(answer, identity(10));
  EXPECT_DOUBLE_EQ(reward(gains, answer, "ndcg"), reward(gains, answer, "ndcg", kPlain));
}

// The two ways to be paid for nothing, under every single term and under sums of them.
TEST_P(SlateRewardProperties, CopyingAndSwappingTheLastTwoNeverPay) {
  const data::ItemFacts facts = ten_facts();
  Slate slate = slate_of(gains);
  const Order copy = identity(10), swapped{0, 1, 2, 3, 4, 5, 6, 7, 9, 8};
  // Positives, where there are, stand before the last two, so that these are negatives.
  for (const char* spec :
       {"ndcg-gain", "auc-gain", "rank", "alpha-ndcg", "coverage", "ild", "novelty", "freshness",
        "margin", "exposure", "ndcg-gain:1,coverage:0.2,ild:0.2",
        "ndcg-gain,alpha-ndcg:0.5,novelty:0.3,freshness:0.2,margin:0.4,exposure:0.1"}) {
    const SlateReward paid({.spec = parse_reward(spec)}, &facts);
    EXPECT_NEAR(paid(slate, copy), 0, 1e-12) << spec;
    EXPECT_NEAR(paid(slate, swapped), 0, 1e-12) << spec;
    const double gain = paid.value(slate, answer) - paid.value(slate, copy);
    EXPECT_NEAR(paid(slate, answer), gain + (gain > 0 ? 0.1 : 0), 1e-12) << spec;
  }
}

INSTANTIATE_TEST_SUITE_P(Random, SlateRewardProperties, testing::Range(0, 10));

}  // namespace
}  // namespace podium::rerank
