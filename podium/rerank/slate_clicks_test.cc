#include "podium/rerank/slate_clicks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/simulate.h"
#include "podium/data/split_options.h"
#include "podium/rerank/slate_reward.h"

namespace podium::rerank {
namespace {

class SlateClicksTest : public testing::Test {
 protected:
  SlateClicksTest() {
    const fs::path dir = scratch_dir("slate_clicks") / "shop";
    data::simulate({.users = 60, .items = 80, .days = 90, .tiring = true}, dir, "shop");
    dataset_.emplace(data::Dataset::open(dir));
    split_ = data::make_split(
        *dataset_,
        {.protocol = "impressions", .before_t0 = 0.2, .before_t1 = 0.6, .before_t2 = 0.8});
  }

  // A slate as it was shown.
  static Slate shown(const data::Phase& phase, size_t target) {
    Slate slate;
    slate.id = phase.slate_id(target);
    const auto seen = phase.impressions->slate(phase.shown[target]);
    for (size_t i = 0; i < seen.items.size(); ++i) {
      slate.candidates.push_back({.item = seen.items[i], .gain = seen.clicked[i]});
    }
    return slate;
  }

  std::optional<data::Dataset> dataset_;
  data::Split split_;
};

TEST_F(SlateClicksTest, AreOfTheBestOrdersClicks) {
  const auto clicks = SlateClicks::of(split_);
  ASSERT_TRUE(clicks);
  for (const data::Phase* phase : {&split_.slates, &split_.valid}) {
    const auto own = data::SimulatedClicks::of(*dataset_, *phase);
    const Slate slate = shown(*phase, 0);
    std::vector<int> best;
    for (const ItemIndex item : own->best(0)) {
      const auto at = std::ranges::find(slate.candidates, item, &SlateCandidate::item);
      best.push_back(int(at - slate.candidates.begin()));
    }
    EXPECT_EQ(clicks->share(slate, best, 5), 1);
    std::vector<int> worst(best.rbegin(), best.rend());
    EXPECT_LT(clicks->share(slate, worst, 5), 1);
    EXPECT_GT(clicks->share(slate, worst, 5), 0);
  }
  EXPECT_THROW(clicks->share(shown(split_.test, 0), std::vector{0}, 1), Error)
      << "no reward knows the test";
}

TEST_F(SlateClicksTest, AreARewardWhereTheShopIsSimulated) {
  const auto clicks = SlateClicks::of(split_);
  const data::ItemFacts facts = data::item_facts(split_.slates.fit);
  const RewardOptions options{.spec = parse_reward("clicks@5")};
  const Slate slate = shown(split_.slates, 0);
  std::vector<int> order(slate.candidates.size());
  std::iota(order.begin(), order.end(), 0);
  const SlateReward reward(options, &facts, &*clicks);
  EXPECT_EQ(reward.value(slate, order), clicks->share(slate, order, 5));
  EXPECT_THROW(SlateReward(options, &facts), Error);
  EXPECT_FALSE(SlateClicks::of(data::make_split(*dataset_, {}))) << "its slates are not asked for";
}

}  // namespace
}  // namespace podium::rerank
