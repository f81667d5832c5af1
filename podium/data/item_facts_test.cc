// Facts of items from a view, and measures of lists, by hand.
#include "podium/data/item_facts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/list_measures.h"

namespace podium::data {
namespace {

using Items = std::vector<ItemIndex>;

// a b c d e: categories x, x, y, y + z, none.
class Facts : public testing::Test {
 protected:
  static Dataset make() {
    DatasetBuilder builder;
    builder.add_item({.id = "a", .brand = "one", .categories = {"x"}, .price = 4});
    builder.add_item({.id = "b", .brand = "one", .categories = {"x", "x"}});
    builder.add_item({.id = "c", .brand = "two", .categories = {"y"}, .price = 2});
    builder.add_item({.id = "d", .categories = {"z", "y"}, .price = 1});
    builder.add_item({.id = "e"});
    const char* chosen[] = {"a", "b", "a", "c"};
    for (int e = 0; e < 4; ++e) builder.add_event({"u", chosen[e], 100 + 10 * e, 1});
    builder.add_event({"v", "a", 90, 1});
    builder.add_event({"v", "d", 300, 1});  // not in the view
    const fs::path dir = scratch("facts");
    builder.write(dir, "facts", 0, {});
    return Dataset::open(dir);
  }
  Facts() {
    for (const char* id : {"a", "b", "c", "d", "e"}) at_.push_back(*dataset_.find_item(id));
    for (const auto& [id, x] : std::map<std::string, std::array<float, 2>>{
             {"a", {1, 0}}, {"b", {0.6F, 0.8F}}, {"c", {0, 1}}, {"d", {-1, 0}}, {"e", {0, 0}}}) {
      const ItemIndex item = *dataset_.find_item(id);
      vectors_[item * 2] = x[0], vectors_[item * 2 + 1] = x[1];
    }
    View view{&dataset_, {0, 0}};
    view.length[*dataset_.find_user("u")] = 4;
    view.length[*dataset_.find_user("v")] = 1;
    bare_ = item_facts(view);
    facts_ = item_facts(view, vectors_, 2);
  }
  Items list(const char* letters) const {
    Items items;
    for (; *letters != 0; ++letters) items.push_back(at_[size_t(*letters - 'a')]);
    return items;
  }

  Dataset dataset_ = make();
  Items at_;  // of a .. e
  std::vector<float> vectors_ = std::vector<float>(10);
  ItemFacts facts_, bare_;  // with and without vectors
};

TEST_F(Facts, ComeFromTheViewAlone) {
  const auto of = [&](const std::vector<float>& column, char item) {
    return column[at_[size_t(item - 'a')]];
  };
  // Five events, three of them of a.
  EXPECT_NEAR(of(facts_.novelty, 'a'), 1 - std::log2(3) / std::log2(5), 1e-6);
  EXPECT_FLOAT_EQ(of(facts_.novelty, 'b'), 1);
  EXPECT_FLOAT_EQ(of(facts_.novelty, 'd'), 1) << "its event is not in the view";
  EXPECT_FLOAT_EQ(of(facts_.freshness, 'a'), 0);           // 90
  EXPECT_FLOAT_EQ(of(facts_.freshness, 'b'), 20.0F / 40);  // 110
  EXPECT_FLOAT_EQ(of(facts_.freshness, 'c'), 1);           // 130
  EXPECT_FLOAT_EQ(of(facts_.freshness, 'd'), 1);
  EXPECT_FLOAT_EQ(of(facts_.price, 'c'), 2);
  EXPECT_TRUE(std::isnan(of(facts_.price, 'b')));
  EXPECT_EQ(facts_.categories[at_[0]], facts_.categories[at_[1]]);
  EXPECT_EQ(facts_.categories[at_[3]].size(), 2u);
  EXPECT_EQ(facts_.group[at_[0]], facts_.group[at_[1]]);
  EXPECT_NE(facts_.group[at_[0]], facts_.group[at_[2]]);
  EXPECT_EQ(facts_.group[at_[3]], 0u);
}

TEST_F(Facts, SimilarityByVectorsOrCategories) {
  EXPECT_NEAR(similarity(facts_, at_[0], at_[1]), 0.6, 1e-6);
  EXPECT_NEAR(similarity(facts_, at_[0], at_[3]), -1, 1e-6);
  EXPECT_DOUBLE_EQ(similarity(bare_, at_[0], at_[1]), 1);
  EXPECT_DOUBLE_EQ(similarity(bare_, at_[2], at_[3]), 0.5);
  EXPECT_DOUBLE_EQ(similarity(bare_, at_[4], at_[4]), 0);
}

TEST_F(Facts, AlphaNdcgHalvesWhatRepeats) {
  const double second = 1 / std::log2(3), third = 0.5;
  // a, b, c relevant: the best order is a c b, with gains 1, 1, 1/2.
  const double ideal = 1 + second + 0.5 * third;
  const std::vector<uint8_t> all = {1, 1, 1}, last = {0, 0, 2};
  EXPECT_NEAR(alpha_ndcg(facts_, list("acb"), all, 10), 1, 1e-12);
  EXPECT_NEAR(alpha_ndcg(facts_, list("abc"), all, 10), (1 + 0.5 * second + third) / ideal, 1e-12);
  EXPECT_NEAR(alpha_ndcg(facts_, list("abc"), last, 10), third, 1e-12) << "one positive: NDCG";
  EXPECT_DOUBLE_EQ(alpha_ndcg(facts_, list("abc"), last, 2), 0);
  EXPECT_DOUBLE_EQ(alpha_ndcg(facts_, list("abe"), last, 3), third) << "a nugget of its own";
  EXPECT_DOUBLE_EQ(alpha_ndcg(facts_, list("abc"), std::vector<uint8_t>{0, 0, 0}, 3), 0);
  // d holds two nuggets: first it gains 2.
  const std::vector<uint8_t> both = {1, 1};
  EXPECT_NEAR(alpha_ndcg(facts_, list("cd"), both, 10), (1 + 1.5 * second) / (2 + 0.5 * second),
              1e-12);
}

TEST_F(Facts, CoverageAndDistance) {
  EXPECT_DOUBLE_EQ(category_coverage(facts_, list("abcd"), 2), 1.0 / 3);
  EXPECT_DOUBLE_EQ(category_coverage(facts_, list("adbc"), 2), 1);
  EXPECT_DOUBLE_EQ(category_coverage(facts_, list("e"), 2), 0);
  EXPECT_NEAR(intra_list_distance(facts_, list("abc"), 3), (0.4 + 1 + 0.2) / 3, 1e-6);
  EXPECT_NEAR(intra_list_distance(facts_, list("abd"), 2), 0.4, 1e-6);
  EXPECT_NEAR(intra_list_distance(facts_, list("ad"), 9), 1, 1e-6) << "at most 1";
  EXPECT_DOUBLE_EQ(intra_list_distance(facts_, list("a"), 9), 0);
}

TEST_F(Facts, MeansAndExposure) {
  const double second = 1 / std::log2(3);
  EXPECT_NEAR(discounted_mean(std::vector<double>{1, 0, 1}, 2), 1 / (1 + second), 1e-12);
  EXPECT_DOUBLE_EQ(discounted_mean({}, 2), 0);
  // Two brands, one item each: the first has 1 / (1 + second) of the exposure, half is its due.
  const double share = 1 / (1 + second);
  EXPECT_NEAR(exposure_parity(facts_, list("ac"), 10), 1 - (share - 0.5), 1e-12);
  EXPECT_NEAR(exposure_parity(facts_, list("ac"), 1), 0.5, 1e-12);
  EXPECT_NEAR(exposure_parity(facts_, list("ab"), 10), 1, 1e-12);
}

}  // namespace
}  // namespace podium::data
