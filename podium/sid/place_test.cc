#include "podium/sid/place.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "podium/base/rng.h"

namespace podium::sid {
namespace {

constexpr int kDim = 6, kItems = 80;

std::vector<float> vectors() {
  Rng rng(3);
  std::vector<float> all;
  for (int i = 0; i < kItems * kDim; ++i) all.push_back(float(rng.normal()));
  return all;
}

TEST(Place, AKnownVectorGetsItsOwnPrefixAndAFreeLastCode) {
  const std::vector<float> all = vectors();
  const SidModel model = fit_rq_kmeans(all, kDim, {.levels = 3, .codes = 16}, 1, 1);
  std::vector<std::vector<uint16_t>> given;
  TakenSids taken(model.table);
  for (uint32_t i = 0; i < kItems; ++i) {
    const auto sid = place(model, std::span(all).subspan(i * kDim, kDim), taken);
    ASSERT_EQ(sid.size(), 3u);
    EXPECT_TRUE(std::equal(sid.begin(), sid.end() - 1, model.table.of(i).begin())) << i;
    for (uint32_t other = 0; other < kItems; ++other) {
      EXPECT_FALSE(std::equal(sid.begin(), sid.end(), model.table.of(other).begin()));
    }
    EXPECT_EQ(std::count(given.begin(), given.end(), sid), 0) << "unlike those given before";
    given.push_back(sid);
    taken.add(sid);
  }
}

TEST(Place, AFittedLastLevelIsNearestToo) {
  const std::vector<float> all = vectors();
  const SidModel model =
      fit_rq_kmeans(all, kDim, {.levels = 2, .codes = 16, .random_last_level = false}, 1, 1);
  for (uint32_t i = 0; i < kItems; ++i) {
    const auto sid = place(model, std::span(all).subspan(i * kDim, kDim), TakenSids(model.table));
    EXPECT_TRUE(std::equal(sid.begin(), sid.end(), model.table.of(i).begin())) << i;
  }
}

TEST(Place, AFullPrefixGivesACodeTwice) {
  SidModel model;
  model.dim = 1;
  model.table = {.levels = 2, .codes_per_level = 2, .codes = {0, 0, 0, 1}};
  model.centroids = {1, -1, 0, 0};
  const std::vector<float> vector = {1};
  TakenSids taken(model.table);
  EXPECT_EQ(place(model, vector, taken), (std::vector<uint16_t>{0, 0}));
  const std::vector<float> opposite = {-1};
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 0}));
  taken.add({1, 0});
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 1}));
  taken.add({1, 1});
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 0})) << "none is free";
  taken.add({1, 0});
  taken.remove({1, 0});
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 0})) << "one has it still";
  taken.remove({1, 0});
  taken.remove({0, 7});  // that nobody has
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 0})) << "free again";
  taken.remove({1, 1});
  taken.add({1, 0});
  EXPECT_EQ(place(model, opposite, taken), (std::vector<uint16_t>{1, 1}));
}

}  // namespace
}  // namespace podium::sid
