#include "podium/train/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/rng.h"

namespace podium::train {
namespace {

// Slates whose users choose by softmax(a upstream + b ranker).
std::vector<rerank::Slate> chosen_by(double a, double b, size_t count) {
  Rng rng(3);
  std::vector<rerank::Slate> slates(count);
  for (rerank::Slate& slate : slates) {
    size_t best = 0;
    double most = -INFINITY;
    for (size_t i = 0; i < 8; ++i) {
      slate.candidates.push_back({.item = rerank::ItemIndex(i),
                                  .upstream_score = float(3 * rng.normal()),
                                  .ranker_score = float(rng.normal())});
      const auto& c = slate.candidates.back();
      const double key = a * c.upstream_score + b * c.ranker_score + rng.gumbel();
      if (key > most) most = key, best = i;
    }
    slate.candidates[best].gain = 1;
  }
  return slates;
}

TEST(Calibrate, FindsWhatTheUsersChooseBy) {
  const Calibration found = calibrate(chosen_by(0.4, 1.5, 20000), {});
  EXPECT_NEAR(found.weight[0], 0.4, 0.02);
  EXPECT_NEAR(found.weight[1], 1.5, 0.04);
  EXPECT_GT(found.gained, 0.1);
}

TEST(Calibrate, ASlateOfWeightTwoCountsAsTwo) {
  const auto slates = chosen_by(0.4, 1.5, 400);
  auto weighed = slates, twice = slates;
  for (size_t s = 0; s < slates.size(); s += 3) {
    weighed[s].weight = 2;
    twice.push_back(slates[s]);
  }
  const auto by_weight = calibrate(weighed, {}).weight, by_count = calibrate(twice, {}).weight;
  EXPECT_NEAR(by_weight[0], by_count[0], 1e-6);
  EXPECT_NEAR(by_weight[1], by_count[1], 1e-6);
  EXPECT_NE(by_weight, calibrate(slates, {}).weight);
}

TEST(Calibrate, SameScoresTwiceAreNoTrouble) {
  auto slates = chosen_by(0.6, 0, 5000);
  for (auto& slate : slates) {
    for (auto& candidate : slate.candidates) candidate.ranker_score = candidate.upstream_score;
  }
  const auto weight = calibrate(slates, {}).weight;
  EXPECT_NEAR(weight[0] + weight[1], 0.6, 0.03);
}

// Gives every candidate eight numbers, and the chosen one more of the third.
void tell_more(std::vector<rerank::Slate>& slates, float more) {
  Rng rng(8);
  for (rerank::Slate& slate : slates) {
    for (auto& candidate : slate.candidates) {
      for (int f = 0; f < 8; ++f) candidate.numbers.push_back(float(rng.normal()));
      if (candidate.gain > 0) candidate.numbers[2] += more;
    }
  }
}

TEST(Calibrate, ReadsTheFeaturesThatTell) {
  auto slates = chosen_by(0.4, 1.5, 3000);
  tell_more(slates, 1);
  const std::span all(slates);
  const Calibration found = calibrate(all.first(2000), all.last(1000));
  EXPECT_GT(found.penalty, 0);
  EXPECT_NEAR(found.weight[rerank::kScores + 2], 1, 0.1) << "normals that lie 1 apart";
  EXPECT_NEAR(found.weight[rerank::kScores + 3], 0, 0.1);
  EXPECT_EQ(found.weight, calibrate(all.first(2000), all.last(1000)).weight);
}

TEST(Calibrate, LeavesOutFeaturesThatTellOfThePast) {
  auto slates = chosen_by(0.4, 1.5, 2000), later = chosen_by(0.4, 1.5, 1000);
  tell_more(slates, 1);
  tell_more(later, -1);
  const Calibration found = calibrate(slates, later);
  EXPECT_EQ(found.penalty, 0);
  EXPECT_EQ(found.weight[rerank::kScores + 2], 0);
}

TEST(Calibrate, WithoutChoicesTheOrderStays) {
  auto slates = chosen_by(1, 0, 3);
  for (auto& slate : slates) {
    for (auto& candidate : slate.candidates) candidate.gain = 0;
  }
  EXPECT_EQ(calibrate(slates, slates).weight, (std::vector<double>{1, 0}));
  EXPECT_EQ(calibrate({}, {}).gained, 0);
}

}  // namespace
}  // namespace podium::train
