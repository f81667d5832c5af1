// Places that are kept for new items.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "podium/funnel/test_shop.h"

namespace podium::funnel {
namespace {

class NewPlacesTest : public UpstreamTest {
 protected:
  // Twenty candidates in the order of their places, of which these are new.
  void SetUp() override {
    sources_ = retrieval::fit_sources(
        {&split_.test.fit, std::make_shared<retrieval::Content>(vectors_, kDim)},
        {.new_items = true, .covisitation = {}});
    const auto all = sources_.all();
    for (size_t i = 0; i < 20; ++i) {
      found_.candidates.push_back({data::ItemIndex(i), {}, std::vector<int>(all.size(), -1)});
    }
  }
  std::vector<size_t> kept(size_t places, const std::vector<size_t>& new_ones) {
    for (auto& candidate : found_.candidates) candidate.rank.back() = -1;
    for (const size_t i : new_ones) found_.candidates[i].rank.back() = 0;
    Arrangement arrangement;
    arrangement.order.resize(20);
    std::iota(arrangement.order.begin(), arrangement.order.end(), size_t{0});
    keep_new_places(places, sources_, found_, arrangement);
    std::vector<size_t> sorted = arrangement.order;
    std::ranges::sort(sorted);
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(sorted[i], i) << "still all of them";
    return {arrangement.order.begin(), arrangement.order.begin() + 12};
  }

  retrieval::Sources sources_;
  Described found_;
};

TEST_F(NewPlacesTest, TheNextNewOnesTakeThePlacesOfTheLastKnown) {
  using Order = std::vector<size_t>;
  const Order before = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  EXPECT_EQ(kept(0, {15, 16, 17}), before);
  EXPECT_EQ(kept(2, {15, 16, 17}), (Order{0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 8, 9}));
  EXPECT_EQ(kept(2, {3, 15}), (Order{0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 9, 10}));
  EXPECT_EQ(kept(2, {9, 15}), (Order{0, 1, 2, 3, 4, 5, 6, 7, 9, 15, 8, 10}));
  EXPECT_EQ(kept(2, {1, 2, 15}), before) << "enough stand there";
  EXPECT_EQ(kept(5, {19}), (Order{0, 1, 2, 3, 4, 5, 6, 7, 8, 19, 9, 10})) << "no more are known";
  EXPECT_EQ(kept(10, {10, 11, 12, 13, 14, 15, 16, 17, 18, 19}),
            (Order{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0, 1}));
}

// An item that nobody had is recommended by its words to those who are near it.
TEST_F(NewPlacesTest, ServesNewItems) {
  data::DatasetBuilder builder;
  add_items(dataset_, builder);
  builder.add_item({"fresh", "", "", "", {"shelf0"}, 10});
  for (data::UserIndex u = 0; u < dataset_.users(); ++u) {
    for (size_t t = 0; t < dataset_.items_of(u).size(); ++t) {
      builder.add_event({std::string(dataset_.user_id(u)),
                         std::string(dataset_.item_id(dataset_.items_of(u)[t])),
                         dataset_.times_of(u)[t], 1});
    }
  }
  const fs::path dir = scratch("with_fresh");
  builder.write(dir, "shop", 0, {});
  const data::Dataset dataset = data::Dataset::open(dir);
  const data::Split split = data::leave_one_out(dataset);
  const std::vector<float> vectors = shelf_vectors(dataset);
  UpstreamInputs inputs = inputs_of(dataset, split, vectors);
  inputs.options.sources.new_items = true;
  inputs.options.new_places = 1;
  const fs::path fit = scratch("fresh_fit");
  fit_upstream(inputs, fit);
  const Upstream upstream = Upstream::load(fit / "serving", dataset, inputs.options);
  const data::ItemIndex fresh = dataset.find_item("fresh").value();
  size_t shown = 0, targets = split.test.targets.size();
  for (size_t t = 0; t < targets; ++t) {
    const auto first = upstream.rank(query_of(split.test, t), kFirst);
    EXPECT_TRUE(
        std::ranges::is_sorted(first, std::greater(), &rerank::SlateCandidate::upstream_score));
    shown += std::ranges::count(first, fresh, &rerank::SlateCandidate::item);
  }
  EXPECT_GE(shown, targets / 7) << "a sixth of the users is on its shelf";
  EXPECT_LE(shown, targets / 5);
}

}  // namespace
}  // namespace podium::funnel
