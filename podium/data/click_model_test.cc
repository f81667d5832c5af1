// The click model by hand, against every order of small slates, and against the simulator's clicks.
#include "podium/data/click_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "podium/base/rng.h"
#include "podium/data/simulate.h"

namespace podium::data {
namespace {

ClickModel random_model(Rng& rng, size_t items) {
  ClickModel model;
  model.fatigue = 0.2 + rng.uniform();
  for (size_t i = 0; i < items; ++i) {
    model.examined.push_back(std::pow(double(i + 1), -0.8));
    model.liked.push_back(0.05 + 0.5 * rng.uniform());
    model.category.push_back(uint32_t(rng.below(3)));
  }
  return model;
}

TEST(ClickModel, ByHand) {
  const ClickModel model{{1, 0.5, 0.25}, std::log(2.0), {0.4, 0.8, 0.2}, {7, 7, 9}};
  const auto shown = click_chances(model, std::vector<int>{0, 1, 2});
  EXPECT_NEAR(shown[0], 0.4, 1e-12);
  EXPECT_NEAR(shown[1], 0.5 * 0.8 / 2, 1e-12);  // the second of category 7
  EXPECT_NEAR(shown[2], 0.25 * 0.2, 1e-12);
  EXPECT_NEAR(expected_clicks(model, std::vector<int>{1, 2, 0}), 0.8 + 0.1 + 0.05, 1e-12);
  EXPECT_NEAR(expected_clicks(model, std::vector<int>{2}), 0.2, 1e-12);
  // After item 1, item 0 is worth 0.4 / 2, no more than item 2: it stands first.
  EXPECT_EQ(best_order(model), (std::vector<int>{1, 0, 2}));
}

TEST(ClickModel, BestOrderIsNearTheBestOfAll) {
  Rng rng(3);
  double reached = 0, best = 0, by_liking = 0;
  for (int trial = 0; trial < 100; ++trial) {
    ClickModel model = random_model(rng, 5);
    std::vector<int> order = {0, 1, 2, 3, 4};
    double most = 0;
    do {
      most = std::max(most, expected_clicks(model, order));
    } while (std::next_permutation(order.begin(), order.end()));
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return model.liked[size_t(a)] > model.liked[size_t(b)]; });
    by_liking += expected_clicks(model, order);
    reached += expected_clicks(model, best_order(model));
    best += most;
    model.fatigue = 0;
    EXPECT_EQ(best_order(model), order) << "without fatigue: by liking";
  }
  EXPECT_GT(reached, 0.995 * best);
  EXPECT_GT(reached, 1.005 * by_liking);
}

// Clicks that were drawn against those expected, by the number of earlier items of the category.
class ClicksOfAModel : public testing::Test {
 protected:
  void run(bool tiring) {
    SimulateOptions options;
    options.users = 2000, options.items = 400, options.days = 120, options.tiring = tiring;
    const Shop shop(options);
    for (uint64_t user = 0; user < uint64_t(options.users); ++user) {
      simulate_user(shop, options, user, [&](const ShownSlate& slate) { count(slate); });
    }
  }

  void count(const ShownSlate& slate) {
    std::vector<int> order(slate.items.size());
    std::iota(order.begin(), order.end(), 0);
    const auto chances = click_chances(slate.model, order);
    for (size_t p = 0; p < order.size(); ++p) {
      const auto& category = slate.model.category;
      const auto here = category.begin() + std::ptrdiff_t(p);
      const auto earlier = std::min<std::ptrdiff_t>(2, std::count(category.begin(), here, *here));
      clicks_[size_t(earlier)] += slate.clicked[p];
      expected_[size_t(earlier)] += chances[p];
    }
    fatigue_.insert(slate.model.fatigue);
    depth_.insert(slate.model.examined.back());
  }

  double all(const std::array<double, 3>& counts) const {
    return std::accumulate(counts.begin(), counts.end(), 0.0);
  }

  std::array<double, 3> clicks_{}, expected_{};
  std::set<double> fatigue_, depth_;
};

TEST_F(ClicksOfAModel, AreThoseExpectedWhenUsersTire) {
  run(/*tiring=*/true);
  for (size_t n = 0; n < clicks_.size(); ++n) {
    EXPECT_GT(expected_[n], 50) << n;
    EXPECT_NEAR(clicks_[n], expected_[n], 4 * std::sqrt(expected_[n])) << n;
  }
  EXPECT_GT(fatigue_.size(), 300u) << "each at a pace of his own";
  EXPECT_GT(depth_.size(), 300u) << "each to a depth of his own";
  EXPECT_GT(*fatigue_.begin(), 0);
}

TEST_F(ClicksOfAModel, AreAsEverWithoutTheOption) {
  run(/*tiring=*/false);
  EXPECT_EQ(fatigue_, (std::set<double>{0}));
  EXPECT_EQ(depth_, (std::set<double>{std::pow(10.0, -0.6)}));
  EXPECT_NEAR(all(clicks_), all(expected_), 4 * std::sqrt(all(expected_)));
  const double as_ever = all(clicks_);
  clicks_ = expected_ = {};
  run(/*tiring=*/true);
  EXPECT_LT(all(clicks_), 0.9 * as_ever);
}

}  // namespace
}  // namespace podium::data
