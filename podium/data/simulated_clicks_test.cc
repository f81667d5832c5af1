// The lives lived again against those that made the dataset.
#include "podium/data/simulated_clicks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/simulate.h"
#include "podium/data/split_options.h"

namespace podium::data {
namespace {

constexpr SimulateOptions kShop{.users = 60, .items = 80, .days = 90, .tiring = true};
const SplitOptions kShown{
    .protocol = "impressions", .before_t0 = 0.2, .before_t1 = 0.6, .before_t2 = 0.8};

TEST(LivedAgain, KnowTheSlatesThatUsersSaw) {
  const fs::path dir = scratch_dir("clicks") / "shop";
  simulate(kShop, dir, "shop");
  const Dataset dataset = Dataset::open(dir);
  const Phase phase = make_split(dataset, kShown).test;
  const auto clicks = SimulatedClicks::of(dataset, phase);
  ASSERT_TRUE(clicks);
  double expected = 0, drawn = 0, best = 0;
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const ImpressionSlate slate = phase.impressions->slate(phase.shown[t]);
    const double here = clicks->expected(t, slate.items);
    const auto order = clicks->best(t);
    EXPECT_TRUE(std::ranges::is_permutation(order, slate.items));
    EXPECT_LE(clicks->expected(t, slate.items.first(2)), here);
    expected += here;
    best += clicks->expected(t, order);
    drawn += double(std::ranges::count(slate.clicked, 1));
  }
  EXPECT_GT(best, expected * 1.1);
  // These slates have a click: they were drawn above their expectation.
  EXPECT_GT(drawn, expected);
}

TEST(LivedAgain, AreOnlyOfSimulatedSlates) {
  const fs::path dir = scratch_dir("clicks") / "shop";
  simulate(kShop, dir, "shop");
  const Dataset dataset = Dataset::open(dir);
  EXPECT_FALSE(SimulatedClicks::of(dataset, make_split(dataset, {}).test));
}

}  // namespace
}  // namespace podium::data
