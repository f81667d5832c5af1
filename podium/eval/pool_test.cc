#include "podium/eval/pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/error.h"

namespace podium::eval {
namespace {

StageResult ranked(const std::string& name, std::vector<int32_t> rank) {
  StageResult s;
  s.stage = name;
  s.lists.resize(rank.size());
  s.rank = std::move(rank);
  return s;
}

// One target a user, with these ranks.
PoolRun run(const std::string& set, const std::string& order, std::vector<StageResult> stages) {
  TargetSet targets;
  for (size_t t = 0; t < stages.front().rank.size(); ++t) {
    targets.targets.push_back({.user = uint32_t(t)});
  }
  return {set, order, 5, {std::move(targets), std::move(stages)}};
}

const PooledStage& row(const PooledTable& table, const std::string& stage) {
  for (const PooledStage& s : table.stages) {
    if (s.stage == stage) return s;
  }
  throw Error("no such stage", stage);
}

TEST(Pool, SeedsOfASetStandTogether) {
  const auto tables = pool({run("ml", "sasrec",
                                {ranked("popularity", {9, 9, 9}), ranked("upstream", {1, 0, 7}),
                                 ranked("trees", {0, 1, 7}), ranked("gr2-sft", {0, 0, 7})}),
                            run("ml", "sasrec",
                                {ranked("upstream", {1, 0, -1}), ranked("trees", {0, 0, -1}),
                                 ranked("gr2-sft", {1, 0, -1})})},
                           {.resamples = 200}, 2);
  ASSERT_EQ(tables.size(), 1U);
  const PooledTable& table = tables.front();
  EXPECT_EQ(table.runs, 2U);
  EXPECT_EQ(table.targets, 6U);
  EXPECT_EQ(table.slates, 4U);
  ASSERT_EQ(table.stages.size(), 3U) << "retrievers order no slates";
  EXPECT_DOUBLE_EQ(row(table, "upstream").in_slate[kR1].value, 2 / 4.0);
  EXPECT_DOUBLE_EQ(row(table, "upstream").all[kR1].value, 2 / 6.0);
  EXPECT_DOUBLE_EQ(row(table, "gr2-sft").over_order[kR1].value, 1 / 4.0);
  EXPECT_DOUBLE_EQ(row(table, "gr2-sft").over_trees[kR1].value, 0);
  EXPECT_TRUE(std::isnan(row(table, "upstream").over_order[kR1].value));
  // Two users have slates; a resample holds the one, the other, or both.
  EXPECT_DOUBLE_EQ(row(table, "gr2-sft").over_order[kR1].low, 0);
  EXPECT_DOUBLE_EQ(row(table, "gr2-sft").over_order[kR1].high, 0.5);
}

TEST(Pool, AllRunsTogetherComeLast) {
  const auto tables =
      pool({run("ml", "ranker", {ranked("upstream", {0, 2}), ranked("gr2-rl", {0, 1})}),
            run("beauty", "sasrec",
                {ranked("upstream", {2}), ranked("trees", {0}), ranked("gr2-rl", {0})})},
           {.resamples = 20}, 1);
  ASSERT_EQ(tables.size(), 3U);
  EXPECT_EQ(tables[0].order, "ranker, K = 5");
  EXPECT_EQ(tables[2].set, "all");
  EXPECT_EQ(tables[2].slates, 3U);
  EXPECT_DOUBLE_EQ(row(tables[2], "trees").in_slate[kR1].value, 2 / 3.0)
      << "over its own order it is the order";
}

TEST(Pool, OneSetHasOneSplit) {
  const auto first = run("ml", "ranker", {ranked("upstream", {0, 2})});
  EXPECT_THROW(pool({first, run("ml", "ranker", {ranked("upstream", {0})})}, {}, 1), Error);
  EXPECT_THROW(pool({run("ml", "ranker", {ranked("sasrec", {0})})}, {}, 1), Error);
}

}  // namespace
}  // namespace podium::eval
