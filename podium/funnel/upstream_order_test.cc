// Whose order a slate arrives in: a source's, or the one that was shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/data/split_options.h"
#include "podium/eval/results.h"
#include "podium/funnel/test_shop.h"

namespace podium::funnel {
namespace {

TEST_F(UpstreamTest, ImprovesTheOrderOfASource) {
  inputs_.options.order = "item-to-item";
  const fs::path dir = scratch("source-order");
  fit_upstream(inputs_, dir);
  const auto saved = eval::read_results(dir / "test.json");
  std::map<std::string, const eval::StageResult*> stage;
  for (const auto& s : saved.stages) stage[s.stage] = &s;
  EXPECT_EQ(stage.at("upstream")->lists, stage.at("item-to-item")->lists);
  EXPECT_EQ(stage.at("upstream")->rank, stage.at("item-to-item")->rank);
  const auto hits = [](const eval::StageResult& s, int32_t at) {
    return std::ranges::count_if(s.rank, [&](int32_t rank) { return rank >= 0 && rank < at; });
  };
  const auto &given = *stage.at("upstream"), &ranked = *stage.at("trees");
  EXPECT_EQ(hits(ranked, 5), hits(given, 5)) << "the same five, in another order";
  EXPECT_NE(ranked.lists, given.lists);
  EXPECT_GT(hits(ranked, 1), hits(given, 1));
  // Served as trained.
  const Upstream serving = Upstream::load(dir / "serving", dataset_, inputs_.options);
  const auto slates = slates_by_target(dir / "slates" / "test", split_.test);
  for (size_t t = 0; t < 20; ++t) {
    const auto now = serving.rank(query_of(split_.test, t), 5);
    ASSERT_EQ(now.size(), slates[t].candidates.size());
    for (size_t r = 0; r < now.size(); ++r) {
      EXPECT_EQ(now[r].item, slates[t].candidates[r].item);
      EXPECT_EQ(now[r].upstream_score, -std::log2(float(r + 1)));
      EXPECT_EQ(now[r].numbers, slates[t].candidates[r].numbers);
    }
  }
}

// The shop above, whose users were shown the next item of their walk among four others, in an
// order that tells nothing.
data::Dataset shown_shop() {
  const data::Dataset events = shop();
  data::DatasetBuilder builder;
  add_items(events, builder);
  Rng rng(3);
  for (data::UserIndex u = 0; u < events.users(); ++u) {
    const auto items = events.items_of(u);
    const std::string user(events.user_id(u));
    for (size_t t = 0; t < items.size(); ++t) {
      const int64_t time = events.times_of(u)[t];
      std::vector<data::ItemIndex> shown = {items[t]};
      while (shown.size() < 5) {
        const auto other = data::ItemIndex(rng.below(events.items()));
        if (std::ranges::count(shown, other) == 0) shown.push_back(other);
      }
      rng.shuffle(std::span(shown));
      std::vector<std::string_view> ids;
      std::vector<uint8_t> clicked;
      for (const auto item : shown) {
        ids.push_back(events.item_id(item));
        clicked.push_back(item == items[t] ? 1 : 0);
      }
      builder.add_shown({user, time - 5, ids, clicked});
      builder.add_event({user, events.item_id(items[t]), time, 1});
    }
  }
  const fs::path dir = scratch("shown-shop");
  builder.write(dir, "shown shop", 0, {});
  return data::Dataset::open(dir);
}

TEST(Shown, SlatesAreImprovedAsTheyCame) {
  const data::Dataset dataset = shown_shop();
  const data::Split split = data::make_split(
      dataset, {.protocol = "impressions", .before_t0 = 0.4, .before_t1 = 0.7, .before_t2 = 0.85});
  const std::vector<float> vectors = shelf_vectors(dataset);
  UpstreamInputs inputs = inputs_of(dataset, split, vectors);
  inputs.options.order = kShownOrder;
  const fs::path dir = scratch("shown-fit");
  fit_upstream(inputs, dir);
  const auto slates = slates_by_target(dir / "slates" / "test", split.test);
  for (size_t t = 0; t < slates.size(); ++t) {
    const data::ImpressionSlate shown = split.test.impressions->slate(split.test.shown[t]);
    ASSERT_EQ(slates[t].candidates.size(), shown.items.size());
    for (size_t r = 0; r < shown.items.size(); ++r) {
      EXPECT_EQ(slates[t].candidates[r].item, shown.items[r]);
      EXPECT_EQ(slates[t].candidates[r].gain, shown.clicked[r]);
    }
  }
  std::map<std::string, double> ndcg;
  for (const auto& stage : eval::read_results(dir / "test.json").stages) {
    for (const auto& labels : stage.labels) ndcg[stage.stage] += podium::ndcg(labels, 5);
    ndcg[stage.stage] /= double(stage.labels.size());
  }
  EXPECT_LT(ndcg.at("upstream"), 0.7);
  EXPECT_GT(ndcg.at("trees"), 0.9);
  EXPECT_GT(ndcg.at("trees"), ndcg.at("popularity"));
  // A request that brings its candidates is described as training was.
  const Upstream serving = Upstream::load(dir / "serving", dataset, inputs.options);
  const auto shown = split.test.impressions->slate(split.test.shown[0]).items;
  const retrieval::Query query = query_of(split.test, 0);
  const auto now = serving.describe(query, {shown.begin(), shown.end()}, serving.lists(query));
  for (size_t r = 0; r < now.size(); ++r) {
    EXPECT_EQ(now[r].numbers, slates[0].candidates[r].numbers);
    EXPECT_EQ(now[r].upstream_score, slates[0].candidates[r].upstream_score);
  }
}

// A list of each target: five items of the user's shelf that he does not have, the answer last.
std::vector<std::vector<data::ItemIndex>> shelf_lists(const data::Dataset& dataset,
                                                      const data::Phase& phase) {
  std::vector<std::vector<data::ItemIndex>> lists;
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const auto [user, position] = phase.targets[t];
    const auto had = dataset.items_of(user).first(position);
    const data::ItemIndex answer = phase.answers(t)[0];
    std::vector<data::ItemIndex>& list = lists.emplace_back();
    for (data::ItemIndex i = 0; i < dataset.items() && list.size() < 4; ++i) {
      const bool known = std::ranges::count(had, i) > 0 || i == answer;
      if (!known && dataset.categories(i)[0] == dataset.categories(answer)[0]) list.push_back(i);
    }
    if (std::ranges::count(had, answer) == 0) list.push_back(answer);
  }
  return lists;
}

TEST(Generative, ListsOfABeamSearchAreImproved) {
  const data::Dataset dataset = shop();
  const data::Split split = data::leave_one_out(dataset);
  const std::vector<float> vectors = shelf_vectors(dataset);
  UpstreamInputs inputs = inputs_of(dataset, split, vectors);
  inputs.options.order = kGenerativeOrder;
  inputs.options.blend.total = 5;  // so that lists name items that are in no blend
  inputs.slates.lists = shelf_lists(dataset, split.slates);
  inputs.valid.lists = shelf_lists(dataset, split.valid);
  inputs.test.lists = shelf_lists(dataset, split.test);
  const fs::path dir = scratch("generative");
  fit_upstream(inputs, dir);
  const auto slates = slates_by_target(dir / "slates" / "test", split.test);
  const auto saved = eval::read_results(dir / "test.json");
  const eval::StageResult *given = eval::find_stage(saved.stages, "upstream"),
                          *trees = eval::find_stage(saved.stages, "trees"),
                          *blended = eval::find_stage(saved.stages, "item-to-item");
  double better = 0;
  size_t blend_misses = 0;
  for (size_t t = 0; t < slates.size(); ++t) {
    const auto& list = inputs.test.lists[t];
    if (list.size() < 2) continue;
    ASSERT_EQ(slates[t].candidates.size(), list.size());
    for (size_t r = 0; r < list.size(); ++r) EXPECT_EQ(slates[t].candidates[r].item, list[r]);
    EXPECT_EQ(given->lists[t], list);
    ASSERT_EQ(trees->rank[t] < 0, given->rank[t] < 0);
    better += given->rank[t] - trees->rank[t];
    blend_misses += given->rank[t] >= 0 && blended->rank[t] < 0 ? 1 : 0;
  }
  EXPECT_GT(better, 0.5 * double(slates.size())) << "places";
  EXPECT_GT(blend_misses, 0u) << "a source's own row knows nothing of the lists";
  // A request that brings such a list is described as training was.
  const Upstream serving = Upstream::load(dir / "serving", dataset, inputs.options);
  const retrieval::Query query = query_of(split.test, 0);
  const auto now = serving.describe(query, inputs.test.lists[0], serving.lists(query));
  for (size_t r = 0; r < now.size(); ++r) {
    EXPECT_EQ(now[r].numbers, slates[0].candidates[r].numbers);
    EXPECT_EQ(now[r].upstream_score, slates[0].candidates[r].upstream_score);
  }
  inputs.test.lists.pop_back();
  EXPECT_THROW(fit_upstream(inputs, scratch("too-few-lists")), Error);
}

TEST(Shown, AnOrderThatIsNotThereIsAnError) {
  const data::Dataset dataset = shop();
  const data::Split split = data::leave_one_out(dataset);
  const std::vector<float> vectors = shelf_vectors(dataset);
  UpstreamInputs inputs = inputs_of(dataset, split, vectors);
  for (const std::string order : {"shown", "sasrec", "nobody"}) {
    inputs.options.order = order;
    EXPECT_THROW(fit_upstream(inputs, scratch("no-order")), Error) << order;
  }
}

}  // namespace
}  // namespace podium::funnel
