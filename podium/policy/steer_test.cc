// Orders bent to a target: against every other choice, on slates small enough to try all.
#include "podium/policy/steer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "podium/base/ndcg.h"
#include "podium/base/rng.h"

namespace podium::policy {
namespace {

struct Best {
  bool feasible = false;
  double score = 0;
};

// Over every choice of `first` of the items.
Best best_choice(const std::vector<double>& scores, const std::vector<double>& values, size_t first,
                 double bound) {
  Best best;
  for (uint32_t chosen = 0; chosen < (1U << scores.size()); ++chosen) {
    if (size_t(std::popcount(chosen)) != first) continue;
    double score = 0, mean = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      if (chosen >> i & 1U) score += scores[i], mean += values[i] / double(first);
    }
    if (mean < bound - 1e-9) continue;
    if (!best.feasible || score > best.score) best = {true, score};
  }
  return best;
}

TEST(MeetMean, MeetsWhatCanBeMetAtNextToTheLeastLoss) {
  Rng rng(11);
  double lost = 0;
  int met = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    const size_t n = 8, first = 1 + rng.below(5);
    std::vector<double> scores, values;
    for (size_t i = 0; i < n; ++i) {
      scores.push_back(1 - double(i) / double(n));
      values.push_back(rng.uniform());
    }
    const double bound = 0.3 + 0.6 * rng.uniform();
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    meet_mean(order, scores, values, first, bound);
    double mean = 0, score = 0;
    for (size_t i = 0; i < first; ++i) {
      mean += values[size_t(order[i])] / double(first);
      score += scores[size_t(order[i])];
    }
    const Best best = best_choice(scores, values, first, bound);
    EXPECT_EQ(mean >= bound - 1e-9, best.feasible);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.begin() + std::ptrdiff_t(first)));
    EXPECT_TRUE(std::is_sorted(order.begin() + std::ptrdiff_t(first), order.end()));
    (best.feasible ? met : refused) += 1;
    if (!best.feasible) continue;
    EXPECT_LE(score, best.score + 1e-9);
    lost += (best.score - score) / best.score;
  }
  EXPECT_GT(met, 100);
  EXPECT_GT(refused, 50);
  EXPECT_LT(lost / met, 0.01);  // of the best choice's score, on average
}

double discounted(const std::vector<int>& order, const std::vector<double>& scores) {
  double sum = 0;
  for (size_t r = 0; r < order.size(); ++r) sum += scores[size_t(order[r])] * rank_discount(r);
  return sum;
}

TEST(MeetExposure, MeetsWhatCanBeMetAtNextToTheLeastLoss) {
  Rng rng(12);
  double lost = 0;
  int possible = 0, met = 0;
  for (int round = 0; round < 60; ++round) {
    const size_t n = 6, first = 4;
    std::vector<double> scores;
    std::vector<std::vector<uint32_t>> groups;
    for (size_t i = 0; i < n; ++i) {
      scores.push_back(1 - double(i) / double(n));
      groups.push_back({uint32_t(rng.below(2))});
    }
    const double share = 0.2 + 0.6 * rng.uniform();
    const std::vector<double> shares = {share, 1 - share};
    const ExposureTarget target{groups, shares, 0.08};
    std::vector<int> order(n), all(n);
    std::iota(order.begin(), order.end(), 0);
    std::iota(all.begin(), all.end(), 0);
    meet_exposure(order, scores, target, first);
    double best = -1;
    do {
      if (exposure_missed(exposure_shares(all, target, first), target) > 0) continue;
      best = std::max(best, discounted(all, scores));
    } while (std::next_permutation(all.begin(), all.end()));
    if (best < 0) continue;
    ++possible;
    if (exposure_missed(exposure_shares(order, target, first), target) > 0) continue;
    ++met;
    lost += (best - discounted(order, scores)) / best;
  }
  EXPECT_GT(possible, 30);
  EXPECT_GT(met, possible * 9 / 10);
  EXPECT_LT(lost / met, 0.02);
}

TEST(MeetExposure, SharesByHand) {
  const std::vector<std::vector<uint32_t>> groups = {{0}, {1}, {}, {0, 1}};
  const std::vector<double> shares = {0.5, 0.5};
  const ExposureTarget target{groups, shares, 0};
  const std::vector<int> order = {0, 1, 3, 2};
  const double total = 1 + rank_discount(1) + rank_discount(2);
  const auto got = exposure_shares(order, target, 3);
  EXPECT_NEAR(got[0], (1 + rank_discount(2) / 2) / total, 1e-12);
  EXPECT_NEAR(got[1], (rank_discount(1) + rank_discount(2) / 2) / total, 1e-12);
  EXPECT_NEAR(exposure_missed(got, target), 2 * (got[0] - 0.5), 1e-12);
}

}  // namespace
}  // namespace podium::policy
