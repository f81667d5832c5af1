#include "podium/eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/rng.h"

namespace podium::eval {
namespace {

StageResult stage(std::string name, std::vector<int32_t> rank) {
  StageResult s;
  s.stage = std::move(name);
  s.lists.resize(rank.size());
  s.rank = std::move(rank);
  return s;
}

TargetSet users(size_t n, size_t targets_each = 1) {
  TargetSet set;
  for (size_t i = 0; i < n * targets_each; ++i) {
    set.targets.push_back({.user = uint32_t(i / targets_each), .history = 7});
  }
  set.popularity.assign(4, 1);
  return set;
}

size_t slice_index(const Evaluation& e, const std::string& name) {
  for (size_t i = 0; i < e.slices.size(); ++i) {
    if (e.slices[i].name == name) return i;
  }
  ADD_FAILURE() << "no slice " << name;
  return 0;
}

const Comparison& comparison(const Evaluation& e, const std::string& stage,
                             const std::string& baseline, size_t slice) {
  for (const Comparison& c : e.comparisons) {
    if (c.stage == stage && c.baseline == baseline && c.slice == slice) return c;
  }
  throw Error("no comparison " + stage + " " + baseline);
}

TEST(MetricsTest, ValuesOfOneRank) {
  EXPECT_EQ(metric_of_rank(kR1, 0, 10), 1);
  EXPECT_EQ(metric_of_rank(kR1, 1, 10), 0);
  EXPECT_EQ(metric_of_rank(kR10, 9, 10), 1);
  EXPECT_EQ(metric_of_rank(kR10, 10, 10), 0);
  EXPECT_EQ(metric_of_rank(kR10, -1, 10), 0);
  EXPECT_DOUBLE_EQ(metric_of_rank(kN3, 2, 10), 0.5);  // 1 / log2(4)
  EXPECT_EQ(metric_of_rank(kN3, 3, 10), 0);
  EXPECT_DOUBLE_EQ(metric_of_rank(kMrr, 24, 10), 0.04);
  EXPECT_DOUBLE_EQ(metric_of_rank(kAuc, 0, 5), 1);
  EXPECT_DOUBLE_EQ(metric_of_rank(kAuc, 3, 5), 0.25);
}

TEST(MetricsTest, FourTargetsByHand) {
  const std::vector<StageResult> stages = {stage("popularity", {3, -1, 0, 7}),
                                           stage("upstream", {0, 2, -1, 10}),
                                           stage("gr2-rl", {1, 0, -1, 10})};
  const Evaluation e = evaluate(users(4), stages, {.resamples = 50}, 2);
  ASSERT_EQ(e.slices[0].name, "all");
  ASSERT_EQ(e.slices[1].name, "in-slate");
  EXPECT_EQ(e.slices[1].targets, 2u);

  const MetricRow& upstream = e.stages[1].rows[0];
  EXPECT_DOUBLE_EQ(upstream[kR1].value, 0.25);
  EXPECT_DOUBLE_EQ(upstream[kR3].value, 0.5);
  EXPECT_DOUBLE_EQ(upstream[kR10].value, 0.5);
  EXPECT_DOUBLE_EQ(upstream[kN3].value, 1.5 / 4);
  EXPECT_DOUBLE_EQ(upstream[kMrr].value, (1 + 1.0 / 3 + 1.0 / 11) / 4);

  EXPECT_DOUBLE_EQ(e.stages[1].rows[1][kR1].value, 0.5);
  EXPECT_DOUBLE_EQ(e.stages[1].rows[1][kAuc].value, (1 + 7.0 / 9) / 2);
  EXPECT_DOUBLE_EQ(e.stages[2].rows[1][kAuc].value, (8.0 / 9 + 1) / 2);
  EXPECT_TRUE(std::isnan(e.stages[0].rows[1][kAuc].value)) << "a retriever orders no slate";

  const Comparison& c = comparison(e, "gr2-rl", "upstream", 0);
  EXPECT_DOUBLE_EQ(c.difference[kN3].value, (1 / std::log2(3.0) + 1 - 1.5) / 4);
}

TEST(MetricsTest, ATargetOfWeightTwoCountsAsTwo) {
  TargetSet weighed = users(3);
  weighed.targets[1].weight = 2;
  const Evaluation e = evaluate(weighed, {stage("upstream", {0, 2, -1})}, {.resamples = 50}, 1);
  EXPECT_DOUBLE_EQ(e.stages[0].rows[0][kR3].value, 0.75);
  EXPECT_DOUBLE_EQ(e.stages[0].rows[0][kN3].value, (1 + 2 * 0.5) / 4);
  EXPECT_DOUBLE_EQ(e.stages[0].rows[1][kAuc].value, (1 + 2 * 7.0 / 9) / 3);
}

TEST(MetricsTest, SlicesPartitionTheTargets) {
  TargetSet set = users(4);
  set.targets[0] = {.user = 0, .history = 3, .same_day = true, .group = ItemGroup::kHead};
  set.targets[1] = {.user = 1, .history = 60, .same_day = true, .group = ItemGroup::kCold};
  const Evaluation e = evaluate(set, {stage("upstream", {0, 1, -1, 0})}, {.resamples = 10}, 1);
  const auto value = [&](const std::string& name, Metric metric) {
    return e.stages[0].rows[slice_index(e, name)][metric].value;
  };
  EXPECT_EQ(e.slices[slice_index(e, "same-day")].targets, 2u);
  EXPECT_DOUBLE_EQ(value("same-day", kR1), 0.5);
  EXPECT_DOUBLE_EQ(value("other-day", kR1), 0.5);
  EXPECT_DOUBLE_EQ(value("history 1-4", kR1), 1);
  EXPECT_DOUBLE_EQ(value("history 50+", kR1), 0);
  EXPECT_DOUBLE_EQ(value("history 5-9", kR10), 0.5);
  EXPECT_DOUBLE_EQ(value("cold", kMrr), 0.5);
  for (const Slice& slice : e.slices) EXPECT_NE(slice.name, "history 10-49") << "empty";
}

TEST(MetricsTest, DiversityByHand) {
  EXPECT_DOUBLE_EQ(gini({4, 0, 0, 0}), 0.75);
  EXPECT_DOUBLE_EQ(gini({2, 2, 2}), 0);
  EXPECT_DOUBLE_EQ(gini({0, 0}), 0);
  EXPECT_DOUBLE_EQ(gini({1, 3}), 0.25);

  TargetSet set = users(1);
  set.popularity = {8, 4, 4, 0};
  StageResult s = stage("content", {-1});
  s.lists[0] = {0, 3};
  const Evaluation e = evaluate(set, {s}, {.resamples = 5}, 1);
  EXPECT_DOUBLE_EQ(e.stages[0].coverage, 0.5);
  EXPECT_DOUBLE_EQ(e.stages[0].novelty, (1 + 4) / 2.0);  // shares 8/16 and 1/16
  EXPECT_DOUBLE_EQ(e.stages[0].gini, 0.5);               // counts 0 0 1 1
}

std::vector<int32_t> alternating(size_t n) {
  std::vector<int32_t> rank(n);
  for (size_t i = 0; i < n; ++i) rank[i] = i % 2 == 0 ? 0 : -1;
  return rank;
}

TEST(MetricsTest, IntervalOfAShareIsBinomial) {
  const Evaluation e = evaluate(users(400), {stage("upstream", alternating(400))}, {}, 2);
  const Estimate r1 = e.stages[0].rows[0][kR1];
  const double half = 1.96 * std::sqrt(0.25 / 400);
  EXPECT_DOUBLE_EQ(r1.value, 0.5);
  EXPECT_NEAR(r1.high - r1.value, half, 0.1 * half);
  EXPECT_NEAR(r1.value - r1.low, half, 0.1 * half);
}

TEST(MetricsTest, TargetsOfOneUserAreResampledTogether) {
  std::vector<int32_t> rank;
  for (const int32_t r : alternating(100)) rank.insert(rank.end(), 9, r);  // nine times the same
  const Evaluation e = evaluate(users(100, 9), {stage("upstream", rank)}, {}, 2);
  const Estimate r1 = e.stages[0].rows[0][kR1];
  EXPECT_NEAR(r1.high - r1.low, 2 * 1.96 * std::sqrt(0.25 / 100), 0.02);
}

TEST(MetricsTest, ThreadsDoNotChangeResults) {
  Rng rng(3);
  std::vector<int32_t> a(300), b(300);
  for (size_t i = 0; i < a.size(); ++i) a[i] = int32_t(rng.below(15)), b[i] = int32_t(rng.below(9));
  const std::vector<StageResult> stages = {stage("upstream", a), stage("gr2-rl", b)};
  const Json one = to_json(evaluate(users(300), stages, {.resamples = 200}, 1));
  EXPECT_EQ(one.dump(), to_json(evaluate(users(300), stages, {.resamples = 200}, 3)).dump());
  const Json other = to_json(evaluate(users(300), stages, {.resamples = 200, .seed = 2}, 1));
  EXPECT_NE(one.dump(), other.dump());
}

TEST(MetricsTest, EqualStagesDifferByNothing) {
  const auto rank = alternating(50);
  const Evaluation e =
      evaluate(users(50), {stage("upstream", rank), stage("gr2-sft", rank)}, {.resamples = 100}, 1);
  const Comparison& c = comparison(e, "gr2-sft", "upstream", 0);
  EXPECT_EQ(c.difference[kR1].low, 0);
  EXPECT_EQ(c.difference[kR1].high, 0);
  EXPECT_EQ(c.p[kR1], 1);
}

TEST(MetricsTest, PermutationTestByHand) {
  // Three users gain 1, the others nothing: |sum of signs| = 3 in 2 of 8 flips.
  std::vector<int32_t> before(30, 1), after(30, 1);
  for (int i = 0; i < 3; ++i) after[size_t(i)] = 0;
  const Evaluation e =
      evaluate(users(30), {stage("upstream", before), stage("gr2-sft", after)}, {}, 2);
  EXPECT_NEAR(comparison(e, "gr2-sft", "upstream", 0).p[kR1], 0.25, 0.04);

  const Evaluation sure = evaluate(
      users(30), {stage("upstream", before), stage("gr2-sft", std::vector<int32_t>(30, 0))}, {}, 2);
  const Comparison& c = comparison(sure, "gr2-sft", "upstream", 0);
  EXPECT_NEAR(c.p[kR1], 1.0 / 2001, 1e-9);
  EXPECT_EQ(c.difference[kR1].low, 1);
}

TEST(MetricsTest, PairingNarrowsTheInterval) {
  // 400 users, R@1 = .5 before; 20 misses become hits: unpaired intervals would overlap.
  auto before = alternating(400), after = before;
  for (size_t i = 1; i < 40; i += 2) after[i] = 0;
  const Evaluation e =
      evaluate(users(400), {stage("upstream", before), stage("gr2-sft", after)}, {}, 2);
  EXPECT_LT(e.stages[1].rows[0][kR1].low, e.stages[0].rows[0][kR1].high);
  EXPECT_GT(comparison(e, "gr2-sft", "upstream", 0).difference[kR1].low, 0.02);
}

TEST(MetricsTest, ComparesWithStageBeforeAndUpstream) {
  const std::vector<int32_t> rank = {0, 1};
  const std::vector<StageResult> stages = {stage("popularity", rank), stage("sasrec", rank),
                                           stage("upstream", rank), stage("gr2-sft", rank),
                                           stage("gr2-rl", rank)};
  const Evaluation e = evaluate(users(2), stages, {.resamples = 5}, 1);
  std::vector<std::string> pairs;
  for (const Comparison& c : e.comparisons) {
    if (c.slice == 0) pairs.push_back(c.stage + "/" + c.baseline);
  }
  EXPECT_EQ(pairs,
            (std::vector<std::string>{"popularity/upstream", "sasrec/popularity", "sasrec/upstream",
                                      "upstream/sasrec", "gr2-sft/upstream", "gr2-rl/gr2-sft",
                                      "gr2-rl/upstream"}));
}

TEST(MetricsTest, RefusesColumnsThatDoNotFit) {
  EXPECT_THROW(evaluate(users(3), {stage("upstream", {0, 1})}, {}, 1), Error);
  EXPECT_THROW(evaluate(users(1), {stage("upstream", {0})}, {.k = 1}, 1), Error);
}

TEST(MetricsTest, NoTargetsGiveNoNumbers) {
  const Evaluation e = evaluate(users(0), {stage("upstream", {})}, {.resamples = 5}, 1);
  EXPECT_TRUE(to_json(e)["stages"][0]["metrics"]["all"]["R@1"]["value"].is_null());
}

}  // namespace
}  // namespace podium::eval
