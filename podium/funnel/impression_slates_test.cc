// Shown slates as re-ranking slates: what is known at the time, the order shown, the clicks.
#include "podium/funnel/impression_slates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/simulate.h"

namespace podium::funnel {
namespace {

constexpr int64_t kEver = std::numeric_limits<int64_t>::max();

class ShopImpressions : public testing::Test {
 protected:
  void SetUp() override {
    data::SimulateOptions options;
    options.users = 40, options.items = 200, options.days = 90;
    data::simulate(options, dir_, "shop");
    dataset_.emplace(data::Dataset::open(dir_));
    impressions_.emplace(dir_ / "impressions", dataset_->users(), dataset_->items());
  }

  fs::path dir_ = scratch("shop");
  std::optional<data::Dataset> dataset_;
  std::optional<data::Impressions> impressions_;
};

TEST_F(ShopImpressions, HoldTheClicksAndOnlyWhatCameBefore) {
  const auto slates = impression_slates(*dataset_, *impressions_, 0, kEver);
  EXPECT_EQ(slates.size(), impressions_->slates());
  std::set<std::string> ids;
  size_t clicks = 0, longest = 0;
  for (const LoggedSlate& logged : slates) {
    EXPECT_EQ(rerank::slate_flaw(logged.slate), "");
    const auto items = dataset_->items_of(logged.user);
    const auto times = dataset_->times_of(logged.user);
    ASSERT_LE(logged.position, items.size());
    const auto before = std::lower_bound(times.begin(), times.end(), logged.time);
    EXPECT_EQ(logged.position, before - times.begin());
    const auto& history = logged.slate.history;
    ASSERT_EQ(history.size(), std::min<size_t>(logged.position, rerank::kMaxHistory));
    const auto end = items.begin() + logged.position;
    EXPECT_TRUE(std::equal(history.begin(), history.end(), end - std::ptrdiff_t(history.size())));
    // The user's next events are the slate's clicks, in the order shown.
    size_t next = logged.position;
    for (const auto& candidate : logged.slate.candidates) {
      if (candidate.gain == 0) continue;
      EXPECT_EQ(candidate.item, items[next++]);
    }
    clicks += next - logged.position;
    longest = std::max(longest, history.size());
    ids.insert(logged.slate.id);
  }
  EXPECT_EQ(clicks, dataset_->events());
  EXPECT_EQ(longest, rerank::kMaxHistory);
  EXPECT_EQ(ids.size(), slates.size());
}

TEST_F(ShopImpressions, TimesCutThemIntoParts) {
  const int64_t half = data::kOpening + 45 * data::kSecondsPerDay;
  const auto before = impression_slates(*dataset_, *impressions_, 0, half);
  const auto after = impression_slates(*dataset_, *impressions_, half, kEver);
  EXPECT_EQ(before.size() + after.size(), impressions_->slates());
  EXPECT_GT(before.size(), 10u);
  EXPECT_GT(after.size(), 10u);
  for (const LoggedSlate& logged : before) EXPECT_LT(logged.time, half);
  for (const LoggedSlate& logged : after) EXPECT_GE(logged.time, half);
}

TEST(ImpressionSlates, LeaveOutWhatNoReRankerTakes) {
  data::DatasetBuilder builder;
  for (const char* item : {"a", "b"}) builder.add_event({"u", item, 10, 1});
  const fs::path dir = scratch("tiny");
  builder.write(dir, "tiny", 0, {});
  const auto dataset = data::Dataset::open(dir);
  data::ImpressionWriter writer(dir / "impressions");
  const std::vector<data::ItemIndex> both = {1, 0}, twice = {1, 1};
  const std::vector<uint8_t> clicked = {0, 1};
  writer.add({0, 5, std::span(both).first(1), std::span(clicked).first(1)});
  writer.add({0, 6, twice, clicked});
  writer.add({0, 10, both, clicked});
  writer.finish();
  const data::Impressions impressions(dir / "impressions", 1, 2);
  const auto slates = impression_slates(dataset, impressions, 0, kEver);
  ASSERT_EQ(slates.size(), 1u);
  EXPECT_EQ(slates[0].slate.id, "u#2");
  EXPECT_EQ(slates[0].slate.candidates[0].item, 1u);
  EXPECT_EQ(slates[0].slate.candidates[1].gain, 1);
  EXPECT_TRUE(slates[0].slate.history.empty()) << "an event of that very second is not before it";
}

}  // namespace
}  // namespace podium::funnel
