#include "podium/ranking/gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "podium/ranking/test_groups.h"

namespace podium::ranking {
namespace {

// Of two, three and two candidates.
RankingData three_groups(std::vector<float> labels) {
  RankingData data;
  data.features = 1;
  data.groups = {2, 3, 2};
  data.rows.assign(labels.size(), 0);
  data.labels = std::move(labels);
  return data;
}

TEST(Lambda, GradientsByHand) {
  RankingData data = three_groups({0, 1, /**/ 0, 1, 0, /**/ 1, 1});
  const std::vector<float> scores = {0, 0, /**/ 2, 1, 0, /**/ 5, 3};
  const Gradients g = lambda_gradients(data, scores.data(), 1);
  const double second = 1 / std::log2(3.0), third = 0.5;  // discounts of the ranks behind the first
  EXPECT_NEAR(g.first[1], -0.5 * (1 - second), 1e-6);     // equal scores: p is a half
  EXPECT_NEAR(g.first[0], 0.5 * (1 - second), 1e-6);
  EXPECT_NEAR(g.second[0], 2 * 0.25 * (1 - second), 1e-5);
  const double above = 1 / (1 + std::exp(-1.0)), below = 1 / (1 + std::exp(1.0));
  EXPECT_NEAR(g.first[2], above * (1 - second), 1e-6);
  EXPECT_NEAR(g.first[4], below * (second - third), 1e-6);
  EXPECT_NEAR(g.first[3], -g.first[2] - g.first[4], 1e-6);
  EXPECT_EQ(g.first[5], 0);  // nothing to tell apart
  EXPECT_EQ(g.first[6], 0);
  data.weights = {2, 0.5, 1};
  const Gradients weighed = lambda_gradients(data, scores.data(), 1);
  EXPECT_NEAR(weighed.first[0], 2 * g.first[0], 1e-6);
  EXPECT_NEAR(weighed.second[3], 0.5 * g.second[3], 1e-6);
}

TEST(Softmax, GradientsByHand) {
  RankingData data = three_groups({0, 1, /**/ 0, 1, 1, /**/ 1, 1});
  const std::vector<float> scores = {0, 0, /**/ 1, 0, 0, /**/ 5, 3};
  const Gradients g = softmax_gradients(data, scores.data(), 1);
  EXPECT_NEAR(g.first[0], 0.5, 1e-6);
  EXPECT_NEAR(g.first[1], -0.5, 1e-6);
  EXPECT_NEAR(g.second[0], 0.5, 1e-6);
  const double sum = std::exp(1.0) + 2;
  EXPECT_NEAR(g.first[2], std::exp(1.0) / sum, 1e-6);
  EXPECT_NEAR(g.first[3], 1 / sum - 0.5, 1e-6);
  EXPECT_NEAR(g.second[3], 2 / sum * (1 - 1 / sum), 1e-6);
  EXPECT_EQ(g.first[5], 0);  // nothing to tell apart
  data.weights = {2, 0.5, 1};
  EXPECT_NEAR(softmax_gradients(data, scores.data(), 1).first[2], 0.5 * g.first[2], 1e-6);
}

// The gradient is that of the loss, - sum of y log p.
TEST(Softmax, IsTheSlopeOfTheListwiseLoss) {
  RankingData data = planted(1, 4);
  data.labels[3] = 1;
  const float positives = std::accumulate(data.labels.begin(), data.labels.end(), 0.0F);
  const auto y = [&](size_t i) { return double(data.labels[i] / positives); };
  std::vector<float> scores(kGroup);
  Rng rng(8);
  for (float& score : scores) score = float(rng.normal());
  const auto loss = [&](size_t moved, double by) {
    double sum = 0, kept = 0;
    for (size_t i = 0; i < kGroup; ++i) {
      const double s = scores[i] + (i == moved ? by : 0);
      sum += std::exp(s), kept += y(i) * s;
    }
    return std::log(sum) - kept;
  };
  const Gradients g = softmax_gradients(data, scores.data(), 1);
  for (size_t i = 0; i < kGroup; ++i) {
    EXPECT_NEAR(g.first[i], (loss(i, 1e-4) - loss(i, -1e-4)) / 2e-4, 1e-5) << i;
  }
}

TEST(Gradients, SumsAreExactAndThreadsChangeNothing) {
  const RankingData data = planted(1000, 6);
  Rng rng(8);
  std::vector<float> scores(data.labels.size());
  for (float& score : scores) score = float(rng.normal());
  for (const auto of : {softmax_gradients, lambda_gradients}) {
    const Gradients one = of(data, scores.data(), 1), four = of(data, scores.data(), 4);
    EXPECT_EQ(one.first, four.first);
    EXPECT_EQ(one.second, four.second);
    const double forward = std::accumulate(one.second.begin(), one.second.end(), 0.0);
    EXPECT_EQ(forward, std::accumulate(one.second.rbegin(), one.second.rend(), 0.0));
  }
}

}  // namespace
}  // namespace podium::ranking
