// Features counted by hand; the ranker on planted signals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/ranking/features.h"
#include "podium/ranking/ranker.h"
#include "podium/ranking/test_groups.h"

namespace podium::ranking {
namespace {

constexpr int64_t kDay = 86400;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// u1: a b c   u2: a b   u3: b d, a day apart; nobody bought e.
class FeaturesTest : public testing::Test {
 protected:
  FeaturesTest() {
    data::DatasetBuilder builder;
    builder.add_item({"a", "", "Acme", "", {"beauty", "nails"}, 10});
    builder.add_item({"b", "", "Acme", "", {"beauty", "hair"}, 20});
    builder.add_item({"c", "", "Other", "", {"beauty", "nails"}, NAN});
    builder.add_item({"d", "", "", "", {}, 40});
    builder.add_item({"e", "", "Acme", "", {"garden"}, NAN});
    const std::pair<const char*, const char*> events[] = {
        {"u1", "a"}, {"u1", "b"}, {"u1", "c"}, {"u2", "a"}, {"u2", "b"}, {"u3", "b"}, {"u3", "d"}};
    int64_t time = 0;
    for (const auto& [user, item] : events) builder.add_event({user, item, time += kDay, 1});
    const fs::path dir = scratch("shop");
    builder.write(dir, "shop", 0, {});
    dataset_ = std::make_unique<data::Dataset>(data::Dataset::open(dir));
    view_.dataset = dataset_.get();
    for (data::UserIndex u = 0; u < dataset_->users(); ++u) {
      view_.length.push_back(uint32_t(dataset_->items_of(u).size()));
    }
    std::vector<float> vectors(5 * 2);  // every item along x but e, which stands at 60 degrees
    for (ItemIndex i = 0; i < 5; ++i) vectors[2 * i] = 1;
    vectors[2 * item("e")] = 0.5F, vectors[2 * item("e") + 1] = std::sqrt(0.75F);
    sources_ =
        retrieval::fit_sources({&view_, std::make_shared<retrieval::Content>(vectors, 2), ""},
                               {.half_life_days = 0, .covisitation = {}});
    features_ = std::make_unique<Features>(*dataset_, sources_);
  }

  ItemIndex item(const char* id) const { return dataset_->find_item(id).value(); }

  // The candidate's row for a history of a, d and b, oldest first, two days after b.
  std::vector<float> row(const char* id) const {
    const std::vector<ItemIndex> history = {item("a"), item("d"), item("b")};
    const std::vector<int64_t> times = {kDay, 2 * kDay, 3 * kDay};
    retrieval::Blended candidate{item(id), {3, kNaN, kNaN}, {1, -1, -1}};
    std::vector<float> out(features_->count());
    features_->compute({history, times, 5 * kDay}, {candidate}, out.data());
    return out;
  }
  float value(const std::vector<float>& row, Column column) const {
    return row[features_->column(column)];
  }

  std::unique_ptr<data::Dataset> dataset_;
  data::View view_;
  retrieval::Sources sources_;
  std::unique_ptr<Features> features_;
};

TEST_F(FeaturesTest, SourcesGiveAScoreAndARankEach) {
  ASSERT_EQ(features_->count(), features_->names().size());
  EXPECT_EQ(features_->names()[0], "popularity_score");
  EXPECT_EQ(features_->names()[3], "item-to-item_rank");
  EXPECT_EQ(features_->names()[features_->column(kIdleDays)], "idle_days");
  const auto c = row("c");
  EXPECT_EQ(c[0], 3);
  EXPECT_EQ(c[1], 1);
  EXPECT_TRUE(std::isnan(c[2]) && std::isnan(c[3]));  // not named by that source
}

// Knows a score of every item, its number in tens, and retrieves none.
class Knowing : public retrieval::Retriever {
 public:
  std::string_view name() const override { return "knowing"; }
  std::vector<retrieval::Scored> retrieve(const retrieval::Query&, size_t) const override {
    return {};
  }
  std::vector<float> scores(const retrieval::Query&,
                            std::span<const ItemIndex> items) const override {
    std::vector<float> all;
    for (const ItemIndex item : items) all.push_back(10.0F * float(item));
    return all;
  }
  void save(const fs::path&) const override {}
};

TEST_F(FeaturesTest, ASourceThatKnowsEveryItemScoresWhatOthersRetrieved) {
  sources_.further.push_back(std::make_unique<Knowing>());
  const Features features(*dataset_, sources_);
  const std::vector<ItemIndex> history = {item("a")};
  const std::vector<int64_t> times = {kDay};
  std::vector<float> rows(2 * features.count());
  const std::vector<retrieval::Blended> candidates = {
      {item("c"), {3, kNaN, kNaN, kNaN}, {1, -1, -1, -1}},
      {item("d"), {kNaN, kNaN, kNaN, 7}, {-1, -1, -1, 0}}};
  features.compute({history, times, 2 * kDay}, candidates, rows.data());
  ASSERT_EQ(features.names()[6], "knowing_score");
  EXPECT_EQ(rows[6], 10.0F * float(item("c")));
  EXPECT_TRUE(std::isnan(rows[7])) << "no rank: it did not retrieve it";
  EXPECT_EQ(rows[features.count() + 6], 7) << "what the blend says comes first";
  EXPECT_EQ(rows[features.count() + 7], 0);
}

TEST_F(FeaturesTest, CoVisitationByHand) {
  const auto c = row("c");
  EXPECT_EQ(value(c, kNextLast), 1);  // u1: c after b
  EXPECT_EQ(value(c, kNearLast), 1);
  EXPECT_EQ(value(c, kNearLag2), 0);     // c never near d
  EXPECT_EQ(value(c, kNearLag3), 0.5F);  // u1: a b c, two places apart
  const double with_b = 1 / std::sqrt(1.0 * 3), with_a = 0.5 / std::sqrt(1.0 * 2);
  EXPECT_NEAR(value(c, kAffinitySum), with_b + 0.8 * 0.8 * with_a, 1e-6);
  EXPECT_NEAR(value(c, kAffinityMax), with_b, 1e-6);
}

TEST_F(FeaturesTest, TextCatalogueAndTimeByHand) {
  const auto c = row("c"), e = row("e");
  EXPECT_NEAR(value(e, kTextLast), 0.5, 1e-6);
  EXPECT_NEAR(value(e, kTextMean), 0.5, 1e-6);
  EXPECT_NEAR(value(c, kTextMax), 1, 1e-6);
  EXPECT_FLOAT_EQ(value(c, kLogCount), std::log1p(1.0F));
  EXPECT_EQ(value(e, kLogCount), 0);
  EXPECT_EQ(value(c, kBrandLast), 0);
  EXPECT_EQ(value(e, kBrandLast), 1);   // Acme, as b
  EXPECT_EQ(value(e, kBrandCount), 2);  // a and b
  EXPECT_EQ(value(c, kCategoryLast), 1);
  EXPECT_EQ(value(c, kCategoryCount), 1);  // nails: a alone
  EXPECT_EQ(value(e, kCategoryCount), 0);
  EXPECT_FLOAT_EQ(value(c, kHistoryLength), std::log1p(3.0F));
  EXPECT_FLOAT_EQ(value(c, kIdleDays), std::log1p(2.0F));
  EXPECT_TRUE(std::isnan(value(c, kSequenceScore)));  // no SASRec here
}

TEST_F(FeaturesTest, RepeatsByHandUnderDecayOnly) {
  EXPECT_EQ(features_->count(), features_->column(kColumns));
  sources_.seen = retrieval::SeenRule::kDecay;
  features_ = std::make_unique<Features>(*dataset_, sources_);
  ASSERT_EQ(features_->count(), features_->column(kColumns) + kRepeatColumns);
  const auto at = [&](const std::vector<float>& row, RepeatColumn column) {
    return row[features_->column(kColumns) + column];
  };
  EXPECT_EQ(at(row("d"), kTimesHad), std::log1p(1.0F));
  EXPECT_EQ(at(row("d"), kDaysSinceHad), std::log1p(3.0F));
  EXPECT_EQ(at(row("c"), kTimesHad), 0);
  EXPECT_TRUE(std::isnan(at(row("c"), kDaysSinceHad)));
}

TEST_F(FeaturesTest, UnknownPricesAndBrandsAreAbsentNotEqual) {
  EXPECT_TRUE(std::isnan(value(row("c"), kPriceRatio)));
  const auto d = row("d");
  EXPECT_NEAR(value(d, kPriceRatio), std::log(40.0 / ((10 + 40 + 20) / 3.0)), 1e-6);
  EXPECT_EQ(value(d, kBrandCount), 0);  // d is in the history, and has no brand
}

TEST_F(FeaturesTest, ANewUserHasFeaturesToo) {
  std::vector<float> out(features_->count());
  features_->compute({}, {{item("a"), {2, kNaN, kNaN}, {0, -1, -1}}}, out.data());
  EXPECT_EQ(value(out, kHistoryLength), 0);
  EXPECT_EQ(value(out, kTextMean), 0);
  EXPECT_EQ(value(out, kIdleDays), 0);
  EXPECT_FLOAT_EQ(value(out, kLogCount), std::log1p(2.0F));
}

Ranker trained(size_t groups = 600, int threads = 1, uint64_t seed = 3) {
  RankerOptions options;
  options.rounds = groups > 1000 ? 10 : 40;
  return Ranker::train(planted(groups, 1), kNames, options, seed, threads);
}

std::vector<float> scores(const Ranker& ranker, const RankingData& data) {
  return ranker.predict(data.rows.data(), data.labels.size(), kFeatures);
}

// Share of groups whose positive has the highest score.
double hits(const RankingData& data, const std::vector<float>& score) {
  size_t found = 0;
  for (size_t g = 0; g < data.groups.size(); ++g) {
    const auto begin = score.begin() + std::ptrdiff_t(g * kGroup);
    const auto best = std::max_element(begin, begin + kGroup) - score.begin();
    found += data.labels[size_t(best)] > 0 ? 1 : 0;
  }
  return double(found) / double(data.groups.size());
}

TEST(Ranker, LearnsAPlantedSignalAndMissingValues) {
  const Ranker ranker = trained();
  const RankingData fresh = planted(300, 2);
  EXPECT_GT(hits(fresh, scores(ranker, fresh)), 0.7);  // chance: 1 in 12
  RankingData missing;
  for (size_t g = 0; g < fresh.groups.size(); g += 5) {  // where only the sparse feature speaks
    const auto row = fresh.rows.begin() + std::ptrdiff_t(g * kGroup * kFeatures);
    const auto label = fresh.labels.begin() + std::ptrdiff_t(g * kGroup);
    missing.rows.insert(missing.rows.end(), row, row + kGroup * kFeatures);
    missing.labels.insert(missing.labels.end(), label, label + kGroup);
    missing.groups.push_back(kGroup);
  }
  EXPECT_GT(hits(missing, scores(ranker, missing)), 0.9);
  const auto gains = ranker.gains();
  ASSERT_FALSE(gains.empty());
  EXPECT_EQ(gains[0].first, "f0");
  EXPECT_TRUE(std::is_sorted(gains.begin(), gains.end(),
                             [](const auto& a, const auto& b) { return a.second > b.second; }));
}

// Two groups that are copies of one another, so that a ranker which has seen one knows the other.
// Held out apart, they make it look perfect after a few trees, and it stops there.
TEST(Ranker, StopsByUsersItHasNotSeen) {
  RankingData data;
  data.features = kFeatures;
  Rng rng(4);
  for (uint32_t user = 0; user < 60; ++user) {
    RankingData noise;
    for (size_t i = 0; i < kGroup; ++i) noise.labels.push_back(i == 0 ? 1.0F : 0.0F);
    for (size_t i = 0; i < kGroup * kFeatures; ++i) noise.rows.push_back(float(rng.normal()));
    for (int copy = 0; copy < 2; ++copy) {
      data.rows.insert(data.rows.end(), noise.rows.begin(), noise.rows.end());
      data.labels.insert(data.labels.end(), noise.labels.begin(), noise.labels.end());
      data.groups.push_back(kGroup);
      data.users.push_back(user);
    }
  }
  RankerOptions options;
  options.rounds = 120;
  options.patience = 10;
  const auto bytes = [&] {
    const fs::path file = scratch("stopped.json");
    Ranker::train(data, kNames, options, 3, 1).save(file);
    return fs::file_size(file);
  };
  const auto honest = bytes();
  for (uint32_t g = 0; g < data.users.size(); ++g) data.users[g] = g;  // as two users: a leak
  EXPECT_LT(2 * honest, bytes());  // what it has seen it learns by heart, round after round
  data.users.assign(data.users.size(), 7);
  EXPECT_THROW(bytes(), Error);  // nobody is left to hold out
}

TEST(Ranker, ScoresAreThoseOfXgboostToTheBit) {
  const Ranker ranker = trained();
  RankingData data = planted(200, 6);
  Rng rng(8);
  for (float& value : data.rows) {  // missing, and exactly on a threshold now and then
    if (rng.below(10) == 0) value = std::numeric_limits<float>::quiet_NaN();
    if (rng.below(10) == 0) value = data.rows[rng.below(data.rows.size())];
  }
  for (const size_t count : {size_t{1}, size_t{7}, size_t{8}, data.labels.size()}) {
    EXPECT_EQ(ranker.predict(data.rows.data(), count, kFeatures),
              ranker.predict_by_xgboost(data.rows.data(), count, kFeatures));
  }
}

TEST(Ranker, SavedAndLoadedScoresAreTheSame) {
  const Ranker ranker = trained();
  const fs::path file = scratch("ranker.json");
  ranker.save(file);
  const RankingData data = planted(20, 5);
  EXPECT_EQ(scores(Ranker::load(file), data), scores(ranker, data));
  EXPECT_TRUE(ranker.predict(nullptr, 0, kFeatures).empty());
}

// What XGBoost would follow out of its arrays, or around for ever.
TEST(Ranker, ADamagedFileIsRefused) {
  const fs::path file = scratch("damaged-ranker.json");
  trained().save(file);
  const std::string whole = read_file(file);
  const RankingData data = planted(20, 5);
  const auto refuse = [&](const std::function<void(Json&)>& damage) {
    Json json = Json::parse(whole);
    damage(json);
    std::ofstream(file) << json.dump();
    EXPECT_THROW(scores(Ranker::load(file), data), Error);
  };
  const auto tree = [](Json& json) -> Json& {
    return json["learner"]["gradient_booster"]["model"]["trees"][0];
  };
  refuse([&](Json& json) { tree(json)["left_children"][0] = 1000000; });
  refuse([&](Json& json) { tree(json)["left_children"][1] = 0; });  // round and round
  refuse([&](Json& json) { tree(json)["right_children"][0] = tree(json)["left_children"][0]; });
  refuse([&](Json& json) { tree(json)["split_indices"][0] = 77; });
  refuse([&](Json& json) { tree(json)["split_type"][0] = 1; });
  refuse([&](Json& json) { tree(json)["split_conditions"].erase(0); });
  refuse([&](Json& json) { tree(json)["tree_param"]["num_nodes"] = "4000000000"; });
  refuse([&](Json& json) { tree(json)["left_children"] = "none"; });
  refuse([&](Json& json) { json["learner"]["gradient_booster"]["model"]["tree_info"][0] = 5; });
  refuse([&](Json& json) { json["learner"]["learner_model_param"]["num_class"] = "3"; });
  Rng rng(6);
  for (int i = 0; i < 40; ++i) {
    std::string bytes = whole;
    bytes[rng.below(bytes.size())] = char(' ' + rng.below(95));
    if (i % 4 == 0) bytes.resize(rng.below(bytes.size()));
    std::ofstream(file) << bytes;
    try {
      for (const float score : scores(Ranker::load(file), data)) EXPECT_TRUE(std::isfinite(score));
    } catch (const Error&) {
    }
  }
}

TEST(Ranker, ThreadsAndRepetitionChangeNothing) {
  const RankingData data = planted(20, 5);
  constexpr size_t kMany = 6000;  // groups enough that XGBoost takes both threads
  const auto one = scores(trained(kMany, 1), data);
  EXPECT_EQ(one, scores(trained(kMany, 1), data));
  EXPECT_EQ(one, scores(trained(kMany, 2), data));
  EXPECT_NE(one, scores(trained(kMany, 1, 4), data));  // another seed draws other rows
}

TEST(Ranker, BadInputIsRefused) {
  EXPECT_THROW(Ranker::train(planted(5, 1), kNames, {}, 1, 1), Error);  // too few groups
  const fs::path file = scratch("damaged.json");
  write_file_atomic(file, "{\"learner\": 3");
  EXPECT_THROW(Ranker::load(file), Error);
  EXPECT_THROW(Ranker::load(scratch("nowhere.json")), Error);
}

}  // namespace
}  // namespace podium::ranking
