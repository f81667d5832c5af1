// The simulated shop: bytes by seed, tastes that can be learnt, slates as the header promises.
#include "podium/data/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/impressions.h"

namespace podium::data {
namespace {

std::map<std::string, std::string> files_of(const fs::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), dir).string()] = read_file(entry.path());
  }
  return files;
}

SimulateOptions small(int64_t seed) {
  SimulateOptions options;
  options.users = 60;
  options.items = 200;
  options.days = 90;
  options.seed = seed;
  return options;
}

TEST(Simulate, TheSeedDecidesEveryByte) {
  const fs::path a = scratch("a"), b = scratch("b"), c = scratch("c");
  simulate(small(7), a, "shop");
  simulate(small(7), b, "shop");
  simulate(small(8), c, "shop");
  const auto files = files_of(a);
  EXPECT_EQ(files.size(), 6u);
  EXPECT_EQ(files, files_of(b));
  const auto others = files_of(c);
  for (const auto& [name, bytes] : files) EXPECT_NE(bytes, others.at(name)) << name;
}

TEST(Simulate, RefusesOptionsOutOfRange) {
  SimulateOptions options = small(1);
  options.slate_size = 0;
  EXPECT_THROW(simulate(options, scratch("bad"), "shop"), Error);
  EXPECT_FALSE(fs::exists(scratch_folder() / "bad"));
}

TEST(Simulate, ACatalogueOfOneItemStillSells) {
  SimulateOptions options = small(1);
  options.items = 1;
  const Json content = simulate(options, scratch("one"), "shop");
  EXPECT_LE(content.at("events").get<uint64_t>(), 60u);  // each user buys it once at most
}

// The default shop, made once.
class DefaultShop : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = scratch("shop");
    content_ = simulate({}, dir_, "shop");
    dataset_ = std::make_unique<Dataset>(Dataset::open(dir_));
    impressions_ =
        std::make_unique<Impressions>(dir_ / "impressions", dataset_->users(), dataset_->items());
  }
  static void TearDownTestSuite() {
    impressions_.reset();
    dataset_.reset();
  }
  static uint32_t number(ItemIndex item) {  // in the shop
    return uint32_t(std::stoul(std::string(dataset_->item_id(item).substr(1))));
  }
  static double day(int64_t time) { return double(time - kOpening) / kSecondsPerDay; }

  static inline fs::path dir_;
  static inline Json content_;
  static inline std::unique_ptr<Dataset> dataset_;
  static inline std::unique_ptr<Impressions> impressions_;
};

TEST_F(DefaultShop, HasTheSizeAndTextPromised) {
  EXPECT_GE(dataset_->users(), 1900u);
  EXPECT_EQ(dataset_->items(), 1500u);
  EXPECT_GE(dataset_->events(), 60000u);
  EXPECT_LE(dataset_->events(), 120000u);
  std::set<std::string_view> titles;
  std::set<size_t> levels;
  for (ItemIndex i = 0; i < dataset_->items(); ++i) {
    titles.insert(dataset_->title(i));
    levels.insert(dataset_->categories(i).size());
    EXPECT_TRUE(dataset_->title(i).starts_with(dataset_->brand(i)));
    EXPECT_GT(dataset_->price(i), 0);
    EXPECT_FALSE(dataset_->description(i).empty());
  }
  EXPECT_GT(titles.size(), 1490u);
  EXPECT_EQ(levels, (std::set<size_t>{2, 3}));
}

TEST_F(DefaultShop, EventsAreTheClicksOfTheSlates) {
  EXPECT_EQ(content_.at("clicks").get<uint64_t>(), dataset_->events());
  EXPECT_EQ(impressions_->slates(), content_.at("slates").get<size_t>());
  std::vector<size_t> next(dataset_->users(), 0);
  for (size_t s = 0; s < impressions_->slates(); ++s) {
    const ImpressionSlate slate = impressions_->slate(s);
    const std::set<ItemIndex> distinct(slate.items.begin(), slate.items.end());
    ASSERT_EQ(distinct.size(), slate.items.size());
    for (size_t p = 0; p < slate.items.size(); ++p) {
      if (slate.clicked[p] == 0) continue;
      const size_t event = next[slate.user]++;
      ASSERT_EQ(dataset_->items_of(slate.user)[event], slate.items[p]);
      ASSERT_EQ(dataset_->times_of(slate.user)[event], slate.time + 3 * int64_t(p + 1));
    }
  }
  for (UserIndex u = 0; u < dataset_->users(); ++u) {
    EXPECT_EQ(next[u], dataset_->items_of(u).size());
    const auto times = dataset_->times_of(u);
    EXPECT_EQ(std::adjacent_find(times.begin(), times.end()), times.end());
  }
}

TEST_F(DefaultShop, ClicksFallWithThePosition) {
  std::vector<double> shown(10), clicked(10);
  size_t several = 0;
  for (size_t s = 0; s < impressions_->slates(); ++s) {
    const ImpressionSlate slate = impressions_->slate(s);
    int positives = 0;
    for (size_t p = 0; p < slate.items.size(); ++p) {
      ++shown[p];
      clicked[p] += slate.clicked[p];
      positives += slate.clicked[p];
    }
    several += positives > 1;
  }
  EXPECT_GT(double(several), 0.1 * double(impressions_->slates()));
  const auto rate = [&](size_t p) { return clicked[p] / shown[p]; };
  // Relevance does not depend on the position, so that the rates stand as examination does.
  EXPECT_NEAR(rate(9) / rate(0), std::pow(10, -0.6), 0.03);
  const double noise = std::sqrt(rate(0) / shown[0] + rate(9) / shown[9]);
  EXPECT_GT(rate(0) - rate(9), 10 * noise);
}

TEST_F(DefaultShop, NothingIsShownBeforeItsRelease) {
  const Shop shop{SimulateOptions{}};
  size_t late = 0;
  for (size_t s = 0; s < impressions_->slates(); ++s) {
    const ImpressionSlate slate = impressions_->slate(s);
    for (const ItemIndex item : slate.items) {
      const double release = shop.item(number(item)).release;
      ASSERT_GE(day(slate.time) + 1.0 / 24, release);
      late += release > 0;
    }
  }
  EXPECT_GT(late, impressions_->slates());  // and released items are shown
}

TEST_F(DefaultShop, UsersComeAllTheTime) {
  size_t late = 0;
  for (UserIndex u = 0; u < dataset_->users(); ++u) late += day(dataset_->times_of(u)[0]) > 182;
  EXPECT_GT(late, dataset_->users() / 10);
}

TEST_F(DefaultShop, WeekendsAndSeasonsShow) {
  std::vector<double> week(7);
  std::map<std::string, std::vector<double>> months;
  for (UserIndex u = 0; u < dataset_->users(); ++u) {
    for (size_t e = 0; e < dataset_->items_of(u).size(); ++e) {
      const double d = day(dataset_->times_of(u)[e]);
      ++week[size_t(d) % 7];
      const auto categories = dataset_->categories(dataset_->items_of(u)[e]);
      auto& year = months[std::string(categories[0]) + std::string(categories[1])];
      year.resize(13);
      ++year[size_t(d / 30)];
    }
  }
  EXPECT_GT(week[5], 1.5 * week[1]);
  std::vector<double> all(12);
  for (const auto& [name, year] : months) {
    for (size_t m = 0; m < 12; ++m) all[m] += year[m];
  }
  size_t seasonal = 0;
  for (const auto& [name, year] : months) {
    double low = 1, high = 0;
    for (size_t m = 0; m < 12; ++m) {
      low = std::min(low, year[m] / all[m]);
      high = std::max(high, year[m] / all[m]);
    }
    seasonal += high > 2 * low;
  }
  EXPECT_GT(seasonal, months.size() / 3);
}

// Mean over users of the L1 distance between category shares of two groups of their events.
double distance(const Dataset& dataset,
                const std::function<int(size_t event, size_t events, Rng&)>& group) {
  Rng rng(3);
  double sum = 0, users = 0;
  for (UserIndex u = 0; u < dataset.users(); ++u) {
    const auto items = dataset.items_of(u);
    if (items.size() < 30) continue;
    std::map<std::string_view, std::array<double, 2>> counts;
    std::array<double, 2> total{};
    for (size_t e = 0; e < items.size(); ++e) {
      const int g = group(e, items.size(), rng);
      if (g < 0) continue;
      ++counts[dataset.categories(items[e]).back()][size_t(g)];
      ++total[size_t(g)];
    }
    if (total[0] == 0 || total[1] == 0) continue;
    for (const auto& [name, n] : counts) sum += std::abs(n[0] / total[0] - n[1] / total[1]);
    ++users;
  }
  return sum / users;
}

double drift_of(const Dataset& dataset) {
  const auto thirds = [](size_t e, size_t n, Rng&) {
    return e < n / 3 ? 0 : e < n - n / 3 ? -1 : 1;
  };
  const auto random = [](size_t, size_t, Rng& rng) {
    const uint64_t third = rng.below(3);  // two random thirds, as noisy as the ordered ones
    return int(third) - 1;
  };
  return distance(dataset, thirds) / distance(dataset, random);
}

TEST_F(DefaultShop, TastesDrift) {
  EXPECT_GT(drift_of(*dataset_), 1.2);
  SimulateOptions still;
  still.users = 500;
  still.drift = 0;
  still.impressions = false;
  simulate(still, scratch("still"), "still");
  const double without = drift_of(Dataset::open(scratch_folder() / "still"));
  EXPECT_GT(drift_of(*dataset_), without + 0.15);
}

// Hits in ten when each user's last event is asked for and all others are known.
template <class Score>
double recall_at_10(const Dataset& dataset, const Score& score) {
  double hits = 0, users = 0;
  std::vector<double> scores(dataset.items());
  for (UserIndex u = 0; u < dataset.users(); u += 4) {
    const auto items = dataset.items_of(u);
    if (items.size() < 5) continue;
    const auto history = items.first(items.size() - 1);
    std::fill(scores.begin(), scores.end(), 0);
    score(history, scores);
    for (const ItemIndex known : history) scores[known] = -1;
    size_t better = 0;
    for (const double s : scores) better += s >= scores[items.back()];
    hits += better <= 10;  // itself among them
    ++users;
  }
  return hits / users;
}

TEST_F(DefaultShop, CoVisitationBeatsPopularityByFar) {
  const Dataset& d = *dataset_;
  std::vector<double> popular(d.items());
  std::vector<std::map<ItemIndex, double>> together(d.items());
  for (UserIndex u = 0; u < d.users(); ++u) {
    const auto items = d.items_of(u).first(d.items_of(u).size() - 1);
    for (size_t e = 0; e < items.size(); ++e) {
      ++popular[items[e]];
      for (size_t f = e + 1; f < std::min(items.size(), e + 6); ++f) {
        ++together[items[e]][items[f]];
        ++together[items[f]][items[e]];
      }
    }
  }
  const double popularity =
      recall_at_10(d, [&](auto, std::vector<double>& scores) { scores = popular; });
  const double covisitation = recall_at_10(d, [&](auto history, std::vector<double>& scores) {
    for (size_t back = 1; back <= std::min<size_t>(10, history.size()); ++back) {
      for (const auto& [item, n] : together[history[history.size() - back]]) {
        scores[item] += n / double(back) / std::sqrt(popular[item]);
      }
    }
  });
  RecordProperty("popularity", std::to_string(popularity));
  RecordProperty("covisitation", std::to_string(covisitation));
  EXPECT_GT(covisitation, 3 * popularity);
  EXPECT_GT(covisitation, 0.08);
}

TEST(Impressions, ShardsReadBackAsOne) {
  const fs::path folder = scratch("impressions");
  ImpressionWriter writer(folder, 4);
  const std::vector<ItemIndex> items = {5, 6, 7};
  const std::vector<uint8_t> clicked = {0, 1, 1};
  for (UserIndex u = 0; u < 5; ++u) {
    const size_t n = 1 + u % 3;
    writer.add({u, 100 + u, std::span(items).first(n), std::span(clicked).first(n)});
  }
  EXPECT_EQ(writer.finish().at("shards"), 2);
  const Impressions read(folder, 5, 8);
  ASSERT_EQ(read.slates(), 5u);
  for (UserIndex u = 0; u < 5; ++u) {
    const ImpressionSlate slate = read.slate(u);
    EXPECT_EQ(slate.user, u);
    EXPECT_EQ(slate.time, 100 + u);
    EXPECT_TRUE(std::equal(slate.items.begin(), slate.items.end(), items.begin()));
    EXPECT_EQ(slate.items.size(), 1 + u % 3);
    EXPECT_TRUE(std::equal(slate.clicked.begin(), slate.clicked.end(), clicked.begin()));
  }
  EXPECT_THROW(Impressions(folder, 4, 8), Error);  // user 4 is not there
  EXPECT_THROW(Impressions(folder, 5, 7), Error);  // nor item 7
  const auto shard = folder / "impressions-00000.safetensors";
  EXPECT_FALSE(artifact::SafetensorsFile(shard).has("propensity")) << "as before there were any";
  fs::resize_file(folder / "impressions-00001.safetensors", 40);
  EXPECT_THROW(Impressions(folder, 5, 8), Error);
}

TEST(Impressions, PropensitiesAreOfThoseWhoTellThem) {
  const std::vector<ItemIndex> items = {5, 6};
  const std::vector<uint8_t> clicked = {0, 1};
  const auto written = [&](const std::vector<float>& propensities) {
    const fs::path folder = scratch("propensities");
    ImpressionWriter writer(folder, 4);  // two slates a shard
    for (UserIndex u = 0; u < 4; ++u) {
      const bool tells = u == 1;
      writer.add({u, 100, items, clicked,
                  tells ? std::span<const float>(propensities) : std::span<const float>()});
    }
    writer.finish();
    return Impressions(folder, 4, 8);
  };
  const Impressions read = written({0.5F, 0.25F});
  EXPECT_TRUE(std::ranges::equal(read.slate(0).propensities, std::vector<float>{0, 0}));
  EXPECT_TRUE(std::ranges::equal(read.slate(1).propensities, std::vector<float>{0.5F, 0.25F}));
  EXPECT_TRUE(read.slate(2).propensities.empty()) << "of a shard without any";
  EXPECT_THROW(written({0.5F, 1.5F}), Error);
  EXPECT_THROW(written({0.5F, -1}), Error);
  EXPECT_THROW(written({0.5F, std::nanf("")}), Error);
}

}  // namespace
}  // namespace podium::data
