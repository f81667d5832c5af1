#include "podium/pipeline/policy_eval.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace podium::pipeline {
namespace {

rerank::Slate slate_of(std::vector<uint32_t> items, uint32_t positive) {
  rerank::Slate slate;
  slate.id = "u1@5";
  for (uint32_t item : items) {
    slate.candidates.push_back({.item = item, .gain = uint8_t(item == positive)});
  }
  return slate;
}

TEST(ApplyOrder, MovesTheListAndTheTargetsRank) {
  const auto slate = slate_of({10, 11, 12, 13}, 12);
  eval::StageResult result;
  result.rank = {99, 2};
  result.lists = {{1}, {10, 11, 12, 13}};
  const std::vector<int> order{2, 0, 3, 1};
  apply_order(order, slate, 1, result);
  EXPECT_EQ(result.rank, (std::vector<int32_t>{99, 0}));
  EXPECT_EQ(result.lists[1], (std::vector<uint32_t>{12, 10, 13, 11}));
  EXPECT_EQ(result.lists[0], (std::vector<uint32_t>{1}));
}

TEST(ShuffledSlate, KeepsTheCandidatesAndDependsOnSeedAndIdAlone) {
  const auto slate = slate_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 3);
  const auto items = [](const rerank::Slate& s) {
    std::vector<uint32_t> all;
    for (const auto& c : s.candidates) all.push_back(c.item);
    return all;
  };
  const auto once = items(shuffled_slate(slate, 1));
  EXPECT_EQ(once, items(shuffled_slate(slate, 1)));
  EXPECT_NE(once, items(shuffled_slate(slate, 2)));
  EXPECT_EQ(shuffled_slate(slate, 1).positives(), 1);
  auto sorted = once;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, items(slate));
}

TEST(ExampleTraces, SurviveJson) {
  const std::vector<ExampleTrace> examples{{4, {1, 0, 2}, "because \"quoted\"", "grounded"}};
  const auto back = example_traces_from_json(to_json(examples));
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].slate, 4u);
  EXPECT_EQ(back[0].order, examples[0].order);
  EXPECT_EQ(back[0].trace, examples[0].trace);
  EXPECT_EQ(back[0].verdict, examples[0].verdict);
}

}  // namespace
}  // namespace podium::pipeline
