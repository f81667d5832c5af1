// The upstream on a simulated shop: cross-fitting, evidence, serving what was trained.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/ndcg.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/split_options.h"
#include "podium/eval/results.h"
#include "podium/funnel/test_shop.h"
#include "podium/funnel/upstream_fit.h"

namespace podium::funnel {
namespace {

TEST_F(UpstreamTest, LearnsAndServesWhatItMeasured) {
  const auto saved = eval::read_results(dir_ / "test.json");
  double upstream = 0, popularity = 0;
  const eval::StageResult* ranked = nullptr;
  for (const auto& stage : saved.stages) {
    double hits = 0;
    for (const int32_t rank : stage.rank) hits += rank >= 0 && rank < 3;
    if (stage.stage == "upstream") upstream = hits, ranked = &stage;
    if (stage.stage == "popularity") popularity = hits;
  }
  EXPECT_GT(upstream, 2 * popularity);
  ASSERT_NE(ranked, nullptr);
  const Upstream serving = Upstream::load(dir_ / "serving", dataset_, inputs_.options);
  for (size_t t = 0; t < 20; ++t) {
    const auto now = serving.rank(query_of(split_.test, t), 5);
    const auto slates = rerank::read_slates(dir_ / "slates" / "test");
    ASSERT_EQ(now.size(), slates[t].candidates.size());
    for (size_t r = 0; r < now.size(); ++r) {
      EXPECT_EQ(now[r].item, ranked->lists[t][r]);
      EXPECT_EQ(now[r].evidence, slates[t].candidates[r].evidence);  // one code for both
    }
  }
}

TEST_F(UpstreamTest, WhatIsAskedBeyondTheBlendComesAfterIt) {
  UpstreamOptions options = inputs_.options;
  options.blend.quota = 3;
  options.blend.total = 8;
  const Upstream upstream = Upstream::load(dir_ / "serving", dataset_, options);
  const retrieval::Query query{dataset_.items_of(0), dataset_.times_of(0), 30 * 86400};
  const auto few = upstream.rank(query, 8), many = upstream.rank(query, 40);
  ASSERT_LE(few.size(), 8u);
  ASSERT_EQ(many.size(), 40u);
  std::set<data::ItemIndex> items;
  for (size_t r = 0; r < many.size(); ++r) {
    if (r < few.size()) {
      EXPECT_EQ(many[r].item, few[r].item);
    }
    EXPECT_TRUE(items.insert(many[r].item).second) << "twice";
  }
  // No more than there is.
  const std::set<data::ItemIndex> seen(query.history.begin(), query.history.end());
  EXPECT_EQ(upstream.rank(query, 1000).size(), dataset_.items() - seen.size());
}

TEST_F(UpstreamTest, SlatesHoldNothingOfTheHistoryAndTheRightLabel) {
  for (const data::Phase* phase : {&split_.slates, &split_.valid, &split_.test}) {
    const auto slates = rerank::read_slates(dir_ / "slates" / phase->name);
    ASSERT_EQ(slates.size(), phase->targets.size());
    for (size_t t = 0; t < slates.size(); ++t) {
      const data::Target& target = phase->targets[t];
      const data::ItemIndex answer = dataset_.items_of(target.user)[target.position];
      const auto history = dataset_.items_of(target.user).first(target.position);
      for (const auto& candidate : slates[t].candidates) {
        EXPECT_EQ(std::count(history.begin(), history.end(), candidate.item), 0);
        EXPECT_EQ(candidate.gain > 0, candidate.item == answer);
      }
    }
  }
}

// Training slates must not know what their own user's answer did to the models: changing the
// answers of fold 0 alone leaves every slate of fold 0 in the same order, as its ranker learnt from
// fold 1 and its sources end before the answer.
TEST_F(UpstreamTest, ATrainingSlateIsOrderedByModelsThatNeverSawItsAnswer) {
  data::DatasetBuilder builder;
  add_items(dataset_, builder);
  for (data::UserIndex u = 0; u < dataset_.users(); ++u) {
    const auto items = dataset_.items_of(u);
    for (size_t t = 0; t < items.size(); ++t) {
      const bool answer = t >= items.size() - 3 && fold_of(u, inputs_.seed) == 0;
      const data::ItemIndex item =
          answer ? data::ItemIndex((items[t] + 17 * t + u) % dataset_.items()) : items[t];
      builder.add_event({std::string(dataset_.user_id(u)), std::string(dataset_.item_id(item)),
                         dataset_.times_of(u)[t], 1});
    }
  }
  const fs::path dir = scratch("changed");
  builder.write(dir, "changed", 0, {});
  const data::Dataset changed = data::Dataset::open(dir);
  const data::Split split = data::leave_one_out(changed);
  UpstreamInputs inputs = inputs_;
  inputs.dataset = &changed;
  inputs.split = &split;
  const fs::path out = scratch("changed-fit");
  fit_upstream(inputs, out);
  const auto before = rerank::read_slates(dir_ / "slates" / "slates");
  const auto after = rerank::read_slates(out / "slates" / "slates");
  size_t compared = 0;
  for (size_t t = 0; t < before.size(); ++t) {
    if (fold_of(split_.slates.targets[t].user, inputs_.seed) != 0) continue;
    ASSERT_EQ(before[t].candidates.size(), after[t].candidates.size());
    for (size_t r = 0; r < before[t].candidates.size(); ++r) {
      EXPECT_EQ(before[t].candidates[r].item, after[t].candidates[r].item);
      EXPECT_EQ(before[t].candidates[r].upstream_score, after[t].candidates[r].upstream_score);
    }
    ++compared;
  }
  EXPECT_GT(compared, kUsers / 4);
}

// A grocery: every user has staples, each bought again after about its own time, and tries
// something new on three trips of ten.
data::Dataset grocery() {
  constexpr size_t kShoppers = 250, kGoods = 150;
  data::DatasetBuilder builder;
  Rng rng(5);
  for (size_t i = 0; i < kGoods; ++i) {
    builder.add_item(
        {"g" + std::to_string(i), "", "", "", {"shelf" + std::to_string(i % kDim)}, 1});
  }
  for (size_t u = 0; u < kShoppers; ++u) {
    struct Staple {
      size_t item;
      double period, due;
    };
    std::vector<Staple> staples;
    for (int s = 0; s < 6; ++s) {
      const double period = 3 + double(rng.below(25));
      staples.push_back({rng.below(kGoods), period, rng.uniform() * period});
    }
    for (int trip = 0; trip < 25; ++trip) {
      Staple& next =
          *std::min_element(staples.begin(), staples.end(),
                            [](const Staple& a, const Staple& b) { return a.due < b.due; });
      const bool fresh = rng.below(10) < 3;
      builder.add_event({"u" + std::to_string(u),
                         "g" + std::to_string(fresh ? rng.below(kGoods) : next.item),
                         int64_t(next.due * 86400), 1});
      next.due += fresh ? 0.1 : next.period * (0.8 + 0.4 * rng.uniform());
    }
  }
  const fs::path dir = scratch("grocery");
  builder.write(dir, "grocery", 0, {});
  return data::Dataset::open(dir);
}

TEST(SeenRule, AShopWhoseUsersBuyAgain) {
  const data::Dataset dataset = grocery();
  const data::Split split = data::leave_one_out(dataset);
  const std::vector<float> vectors = shelf_vectors(dataset);
  UpstreamInputs inputs = inputs_of(dataset, split, vectors);
  inputs.k = 10;
  inputs.options.ranker.rounds = 40;
  std::map<std::string, double> recall;
  for (const std::string rule : {"exclude", "allow", "decay"}) {
    inputs.options.sources.seen = rule;
    const fs::path dir = scratch("grocery-" + rule);
    fit_upstream(inputs, dir);
    const Json test = read_json(dir / "upstream.json").at("test");
    recall[rule] = test.at("R@10").at("upstream").get<double>();
    EXPECT_GT(test.at("targets_seen").get<size_t>(), split.test.targets.size() / 2);
    std::printf("--seen %-8s R@10 %.3f\n", rule.c_str(), recall[rule]);
    // What was measured is what is served: the rule is part of the options.
    const Upstream serving = Upstream::load(dir / "serving", dataset, inputs.options);
    const auto items = dataset.items_of(0);
    const auto ranked = serving.rank({items, dataset.times_of(0), dataset.times_of(0).back()}, 100);
    const bool repeats = std::any_of(ranked.begin(), ranked.end(), [&](const auto& candidate) {
      return std::count(items.begin(), items.end(), candidate.item) > 0;
    });
    EXPECT_EQ(repeats, rule != "exclude");
  }
  EXPECT_GT(recall["allow"], recall["exclude"]);
  EXPECT_GT(recall["decay"], recall["allow"]);
}

TEST(SeenRule, NothingButRepeatsNamesTheCause) {
  data::DatasetBuilder builder;
  for (int u = 0; u < 20; ++u) {
    for (int t = 0; t < 6; ++t) {
      builder.add_event({"u" + std::to_string(u), t % 2 == 0 ? "a" : "b", t, 1});
    }
  }
  const fs::path dir = scratch("again");
  builder.write(dir, "again", 0, {});
  const data::Dataset dataset = data::Dataset::open(dir);
  const data::Split split = data::leave_one_out(dataset);
  UpstreamInputs inputs;
  inputs.dataset = &dataset;
  inputs.split = &split;
  try {
    fit_upstream(inputs, scratch("again-fit"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(),
              "20 of 20 targets of phase slates are items that the user has seen, which --seen "
              "exclude never recommends");
    EXPECT_NE(e.cure().find("--seen decay"), std::string::npos);
  }
}

}  // namespace
}  // namespace podium::funnel
