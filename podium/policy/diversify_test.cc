// Re-rankers for variety by hand, at their ends, and against determinants computed afresh.
#include "podium/policy/diversify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "podium/base/rng.h"
#include "podium/data/list_measures.h"

namespace podium::policy {
namespace {

using data::ItemIndex;
using Items = std::vector<ItemIndex>;
using Order = std::vector<int>;

// Six items in categories 0 0 0 1 1 2, without vectors.
data::ItemFacts shelves() {
  data::ItemFacts facts;
  for (const uint32_t category : {0, 0, 0, 1, 1, 2}) facts.categories.push_back({category});
  return facts;
}
const Items kItems = {0, 1, 2, 3, 4, 5};
const std::vector<float> kScores = {6, 5, 4, 3, 2, 1};

TEST(Mmr, ByHand) {
  const auto facts = shelves();
  EXPECT_EQ(mmr_order(facts, kItems, kScores, 0), (Order{0, 1, 2, 3, 4, 5}));
  // Scaled 1, .8, .6, .4, .2, 0; one of a shelf that has been seen loses all of its similarity.
  EXPECT_EQ(mmr_order(facts, kItems, kScores, 0.5), (Order{0, 3, 5, 1, 2, 4}));
  EXPECT_EQ(mmr_order(facts, kItems, kScores, 0.2), (Order{0, 1, 3, 2, 5, 4}));
}

TEST(Dpp, ByHand) {
  const auto facts = shelves();
  EXPECT_EQ(dpp_order(facts, kItems, kScores, 0), (Order{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(dpp_order(facts, kItems, kScores, 0.5), (Order{0, 3, 5, 1, 2, 4}));
}

TEST(Diversify, WithoutScoresTheOrderGivenCounts) {
  const auto facts = shelves();
  const std::vector<float> none(6, 0);
  EXPECT_EQ(mmr_order(facts, kItems, none, 0), (Order{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(mmr_order(facts, kItems, none, 0.5), (Order{0, 3, 5, 1, 2, 4}));
  EXPECT_EQ(dpp_order(facts, {}, {}, 0.5), Order{});
}

constexpr size_t kN = 8, kDim = 3;

// Random unit vectors and scores.
struct RandomSlate {
  explicit RandomSlate(uint64_t seed) {
    Rng rng = Rng(5).fork(seed);
    for (size_t i = 0; i < kN; ++i) {
      double square = 0;
      std::array<double, kDim> x;
      for (double& v : x) v = rng.normal(), square += v * v;
      for (const double v : x) vectors.push_back(float(v / std::sqrt(square)));
      facts.categories.push_back({});
      items.push_back(ItemIndex(i));
      scores.push_back(float(rng.normal()));
    }
    facts.vectors = vectors;
    facts.dim = kDim;
  }

  // Of the shrunk similarities of these items, by elimination.
  double determinant(const Order& chosen) const {
    const size_t n = chosen.size();
    std::vector<double> m;
    for (const int a : chosen) {
      for (const int b : chosen) {
        m.push_back(a == b ? 1 : 0.9 * data::similarity(facts, ItemIndex(a), ItemIndex(b)));
      }
    }
    double product = 1;
    for (size_t c = 0; c < n; ++c) {
      product *= m[c * n + c];
      for (size_t r = c + 1; r < n; ++r) {
        const double factor = m[r * n + c] / m[c * n + c];
        for (size_t k = c; k < n; ++k) m[r * n + k] -= factor * m[c * n + k];
      }
    }
    return product;
  }

  std::vector<float> vectors, scores;
  Items items;
  data::ItemFacts facts;
};

TEST(Dpp, IsGreedyOnTheDeterminant) {
  const double trade = 0.4;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const RandomSlate slate(seed);
    const auto ends = std::minmax_element(slate.scores.begin(), slate.scores.end());
    const double low = *ends.first, high = *ends.second;
    Order chosen;
    for (const int next : dpp_order(slate.facts, slate.items, slate.scores, trade)) {
      const auto value = [&](int item) {
        Order with = chosen;
        with.push_back(item);
        const double relevance = (double(slate.scores[size_t(item)]) - low) / (high - low);
        const double grows = slate.determinant(with) / slate.determinant(chosen);
        return (1 - trade) * relevance + trade * std::log(grows);
      };
      for (int other = 0; other < int(kN); ++other) {
        if (std::find(chosen.begin(), chosen.end(), other) != chosen.end()) continue;
        EXPECT_LE(value(other), value(next) + 1e-5);
      }
      chosen.push_back(next);
    }
    EXPECT_EQ(chosen.size(), kN);
  }
}

TEST(Diversify, MoreTradeIsMoreVariety) {
  for (const auto& order : {mmr_order, dpp_order}) {
    std::array<double, 3> distance{};  // sums, at trades 0, 1/2, 1
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const RandomSlate slate(seed);
      for (size_t t = 0; t < distance.size(); ++t) {
        Items ranked;
        for (const int i : order(slate.facts, slate.items, slate.scores, double(t) / 2)) {
          ranked.push_back(slate.items[size_t(i)]);
        }
        distance[t] += data::intra_list_distance(slate.facts, ranked, 3);
      }
    }
    EXPECT_GT(distance[1], distance[0] + 1);
    EXPECT_GT(distance[2], distance[1]);
  }
}

}  // namespace
}  // namespace podium::policy
