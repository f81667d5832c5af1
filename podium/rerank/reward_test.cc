#include "podium/rerank/reward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "podium/base/rng.h"
#include "podium/rerank/test_orders.h"

namespace podium::rerank {
namespace {

TEST(Reward, Permutations) {
  EXPECT_TRUE(is_permutation_of(Order{2, 0, 1}, 3));
  EXPECT_FALSE(is_permutation_of(Order{0, 1}, 3));
  EXPECT_FALSE(is_permutation_of(Order{0, 1, 1}, 3));
  EXPECT_FALSE(is_permutation_of(Order{0, 1, 3}, 3));
  EXPECT_FALSE(is_permutation_of(Order{0, -1, 2}, 3));
  EXPECT_FALSE(is_permutation_of(Order{}, 2));
}

TEST(Reward, AucByHand) {
  // Positives b and d of a b c d, answered b a d c: pairs b>a, b>c, d>c right, d>a wrong.
  EXPECT_DOUBLE_EQ(auc(Gains{0, 1, 0, 1}, Order{1, 0, 3, 2}).value(), 0.75);
  EXPECT_DOUBLE_EQ(auc(Gains{0, 1, 0, 2}, Order{3, 1, 0, 2}).value(), 1.0);
  EXPECT_DOUBLE_EQ(auc(Gains{1, 0, 0}, Order{1, 2, 0}).value(), 0.0);
  EXPECT_FALSE(auc(Gains{0, 0}, Order{0, 1}).has_value());
  EXPECT_FALSE(auc(Gains{1, 3}, Order{0, 1}).has_value());
}

TEST(Reward, NdcgByHand) {
  // Single positive at rank 2 (from 0): 1 / log2(4).
  EXPECT_DOUBLE_EQ(ndcg(Gains{1, 0, 0}, Order{1, 2, 0}, 3), 0.5);
  EXPECT_DOUBLE_EQ(ndcg(Gains{1, 0, 0}, Order{1, 2, 0}, 2), 0.0);
  // Graded 2 and 1 in the wrong order: (1 + 3 / log2 3) / (3 + 1 / log2 3).
  const double expected = (1 + 3 / std::log2(3)) / (3 + 1 / std::log2(3));
  EXPECT_NEAR(ndcg(Gains{2, 1, 0}, Order{1, 0, 2}, 10), expected, 1e-12);
  EXPECT_DOUBLE_EQ(ndcg(Gains{0, 0}, Order{1, 0}, 10), 0.0);
}

TEST(Reward, KendallsTauByHand) {
  EXPECT_DOUBLE_EQ(kendall_tau(identity(5)), 1);
  EXPECT_DOUBLE_EQ(kendall_tau(Order{3, 2, 1, 0}), -1);
  EXPECT_DOUBLE_EQ(kendall_tau(Order{2, 0, 1}), -1.0 / 3);  // one pair of three is kept
  EXPECT_DOUBLE_EQ(kendall_tau(Order{0, 1, 3, 2}), 4.0 / 6);
  EXPECT_DOUBLE_EQ(kendall_tau(Order{0}), 1);
}

TEST(Reward, RankValueByHand) {
  // From rank 2 to rank 0 of four: a gain of 2 / 4.
  EXPECT_DOUBLE_EQ(rank_value(Gains{0, 0, 1, 0}, Order{2, 0, 1, 3}), 1);
  EXPECT_DOUBLE_EQ(rank_value(Gains{0, 0, 1, 0}, Order{0, 1, 2, 3}), 0.5);
  EXPECT_DOUBLE_EQ(rank_value(Gains{1, 0, 1, 0}, Order{1, 2, 3, 0}), 0.75);
  EXPECT_DOUBLE_EQ(rank_value(Gains{0, 0}, Order{1, 0}), 0);
}

class RewardProperties : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    Rng rng = Rng(11).fork(uint64_t(GetParam()));
    const size_t k = 2 + rng.below(20);
    for (size_t i = 0; i < k; ++i) gains.push_back(uint8_t(rng.below(3)));
    gains[0] = 0;
    gains[1] = 1;
    answer = identity(k);
    rng.shuffle(std::span(answer));
    relabel = identity(k);
    rng.shuffle(std::span(relabel));
  }
  Gains gains;
  Order answer, relabel;
};

TEST_P(RewardProperties, PresentationOrderDoesNotMatter) {
  // The same slate presented in another order, answered by the same items in the same ranks.
  Gains moved(gains.size());
  Order where(gains.size()), same(gains.size());
  for (size_t i = 0; i < gains.size(); ++i) {
    moved[i] = gains[relabel[i]];
    where[relabel[i]] = int(i);
  }
  for (size_t r = 0; r < answer.size(); ++r) same[r] = where[answer[r]];
  EXPECT_DOUBLE_EQ(auc(gains, answer).value(), auc(moved, same).value());
  EXPECT_NEAR(ndcg(gains, answer, 5), ndcg(moved, same, 5), 1e-12);
}

TEST_P(RewardProperties, SortingByLabelIsBestAndReverseIsWorst) {
  Order best = identity(gains.size());
  std::stable_sort(best.begin(), best.end(), [&](int a, int b) { return gains[a] > gains[b]; });
  Order worst(best.rbegin(), best.rend());
  EXPECT_DOUBLE_EQ(auc(gains, best).value(), 1.0);
  EXPECT_DOUBLE_EQ(auc(gains, worst).value(), 0.0);
  EXPECT_NEAR(ndcg(gains, best, 10), 1.0, 1e-12);
  EXPECT_LE(ndcg(gains, worst, 10), ndcg(gains, answer, 10) + 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Random, RewardProperties, testing::Range(0, 10));

}  // namespace
}  // namespace podium::rerank
