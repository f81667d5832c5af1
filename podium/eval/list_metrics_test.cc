#include "podium/eval/list_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace podium::eval {
namespace {

// Four items in categories 0 0 1 2, which also make their similarity.
data::ItemFacts shelves() {
  data::ItemFacts facts;
  for (const uint32_t category : {0, 0, 1, 2}) facts.categories.push_back({category});
  return facts;
}

TEST(ListMetrics, MeasureOneListInFourWays) {
  const auto facts = shelves();
  const std::vector<data::ItemIndex> alike = {0, 1, 2, 3}, mixed = {0, 2, 3, 1};
  const std::vector<uint8_t> first_two = {1, 1, 0, 0}, ends = {1, 0, 0, 1};
  const double d2 = 1 / std::log2(3);
  const ListMetrics a = list_metrics(facts, alike, first_two, 2);
  EXPECT_DOUBLE_EQ(a.ndcg, 1);
  EXPECT_DOUBLE_EQ(a.alpha_ndcg, 1);  // the relevant ones are of one category: nothing is better
  EXPECT_DOUBLE_EQ(a.coverage, 1.0 / 3);
  EXPECT_DOUBLE_EQ(a.distance, 0);
  const ListMetrics b = list_metrics(facts, mixed, ends, 2);
  EXPECT_NEAR(b.ndcg, 1 / (1 + d2), 1e-12);
  EXPECT_NEAR(b.alpha_ndcg, 1 / (1 + d2 / 2), 1e-12);
  EXPECT_DOUBLE_EQ(b.coverage, 2.0 / 3);
  EXPECT_DOUBLE_EQ(b.distance, 1);
  const std::vector<ListMetrics> both = {a, b};
  EXPECT_DOUBLE_EQ(mean_of(both).coverage, 0.5);
  EXPECT_DOUBLE_EQ(mean_of({}).ndcg, 0);
}

TEST(Front, IsPrintedAndWritten) {
  const Front front{"test", 7, 5, {{"upstream", kNoTrade, {0.5, 0.4, 0.3, 0.2}}, {"mmr", 0.3, {}}}};
  const std::string table = front_table(front);
  EXPECT_NE(table.find("alpha-N@5"), std::string::npos);
  EXPECT_NE(table.find("0.5000"), std::string::npos);
  EXPECT_EQ(table.find("nan"), std::string::npos);
  const Json json = to_json(front);
  EXPECT_EQ(json["slates"], 7);
  EXPECT_TRUE(json["points"][0]["trade"].is_null());
  EXPECT_EQ(json["points"][1]["trade"], 0.3);
  EXPECT_EQ(json["points"][0]["distance"], 0.2);
}

}  // namespace
}  // namespace podium::eval
