#include "podium/eval/results.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/ndcg.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/eval/metrics.h"

namespace podium::eval {
namespace {

constexpr int64_t kDay = 86400;

// Six users chose "a" on day 1; five of them then b, c, d, e an hour apart, and last "late": the
// first two on the same day, the others on the next.
data::Dataset shop(const fs::path& dir) {
  data::DatasetBuilder builder;
  for (int u = 0; u < 6; ++u) {
    const std::string user = "u" + std::to_string(u);
    builder.add_event({user, "a", kDay, 1});
    if (u == 5) continue;
    int64_t time = kDay;
    for (const char* item : {"b", "c", "d", "e"}) {
      builder.add_event({user, item, time += 3600, 1});
    }
    builder.add_event({user, "late", u < 2 ? time + 60 : 2 * kDay, 1});
  }
  builder.write(dir / "shop", "shop", 0, {});
  return data::Dataset::open(dir / "shop");
}

TEST(ResultsTest, GroupsTargetsByTheFitViewAlone) {
  const fs::path dir = scratch_dir("groups");
  const data::Dataset dataset = shop(dir);
  data::Phase phase;
  phase.fit.dataset = &dataset;
  phase.fit.length.assign(dataset.users(), 5);
  phase.fit.length[*dataset.find_user("u5")] = 1;
  std::vector<data::UserIndex> users = {*dataset.find_user("u0"), *dataset.find_user("u4")};
  for (const data::UserIndex u : users) phase.targets.push_back({u, 5});
  phase.targets.push_back({users[0], 1});  // b
  phase.targets.push_back({users[0], 0});  // a, nothing before it

  const TargetSet set = target_set(phase);
  EXPECT_EQ(set.popularity[*dataset.find_item("a")], 6u);
  EXPECT_EQ(set.popularity[*dataset.find_item("late")], 0u) << "its events are to be predicted";
  const std::vector<TargetInfo> expected = {
      {.user = users[0], .history = 5, .same_day = true, .group = ItemGroup::kCold},
      {.user = users[1], .history = 5, .same_day = false, .group = ItemGroup::kCold},
      {.user = users[0], .history = 1, .same_day = true, .group = ItemGroup::kTail},
      {.user = users[0], .history = 0, .same_day = false, .group = ItemGroup::kHead}};
  EXPECT_EQ(set.targets, expected);
}

TargetSet two_targets() {
  TargetSet set;
  set.targets = {{.user = 4, .history = 3, .same_day = true, .group = ItemGroup::kCold},
                 {.user = 9, .history = 8}};
  set.popularity = {5, 0, 2};
  return set;
}

StageResult small_stage() {
  StageResult s;
  s.stage = "gr2-rl";
  s.rank = {0, -1};
  s.lists = {{2, 0}, {}};
  s.identity_rate = 0.25;
  s.milliseconds = 1.5;
  s.trace_consistent = 0.75;
  return s;
}

TEST(ResultsTest, ABasketCountsWhatItsListLacks) {
  const auto closed = [](size_t places, size_t answers, std::vector<uint8_t> labels) {
    close_basket(places, answers, labels);
    return labels;
  };
  using Labels = std::vector<uint8_t>;
  EXPECT_EQ(closed(4, 2, {0, 1, 0, 0, 1, 0}), (Labels{0, 1, 0, 0, 1}));
  EXPECT_EQ(closed(4, 3, {1}), (Labels{1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(closed(4, 1, {0, 0, 1, 0}), (Labels{0, 0, 1, 0}));
  // One of two found, at the second place: half of what the best order of both is worth, and less.
  EXPECT_NEAR(metric_of_labels(kN3, closed(4, 2, {0, 1, 0, 0})),
              rank_discount(1) / (1 + rank_discount(1)), 1e-12);
  EXPECT_DOUBLE_EQ(metric_of_labels(kAuc, closed(4, 2, {0, 1, 0, 0})), 2.0 / 6);
  const StageResult nothing{
      .stage = "sasrec", .rank = {-1}, .lists = {{}}, .labels = {closed(10, 2, {})}};
  for (const Metric metric : {kR10, kN10, kMrr}) {
    EXPECT_EQ(metrics_of_target(nothing, 0, false, 10)[metric], 0) << metric_name(metric);
  }
}

TEST(ResultsTest, ComeBackAsWritten) {
  const fs::path file = scratch_dir("round") / "results.json";
  write_results(file, two_targets(), {small_stage()});
  const SavedResults saved = read_results(file);
  EXPECT_EQ(saved.targets, two_targets());
  ASSERT_EQ(saved.stages.size(), 1u);
  EXPECT_EQ(saved.stages[0].stage, "gr2-rl");
  EXPECT_EQ(saved.stages[0].rank, small_stage().rank);
  EXPECT_EQ(saved.stages[0].lists, small_stage().lists);
  EXPECT_EQ(saved.stages[0].identity_rate, 0.25);
  EXPECT_EQ(saved.stages[0].invalid_rate, -1);
  EXPECT_EQ(saved.stages[0].trace_consistent, 0.75);
  EXPECT_EQ(saved.stages[0].trace_grounded, -1);
}

TEST(ResultsTest, DamagedFilesAreRefused) {
  const fs::path file = scratch_dir("damaged") / "results.json";
  write_results(file, two_targets(), {small_stage()});
  const Json good = read_json(file);
  const auto refuses = [&](auto change) {
    Json bad = good;
    change(bad);
    write_json_atomic(file, bad);
    EXPECT_THROW(read_results(file), Error) << bad.dump();
  };
  refuses([](Json& j) { j["podium"]["kind"] = "bundle"; });
  refuses([](Json& j) { j["podium"]["version"] = 99; });
  refuses([](Json& j) { j["stages"][0]["rank"] = {1}; });
  refuses([](Json& j) { j["stages"][0]["lists"][0] = {3}; });
  refuses([](Json& j) { j["targets"]["group"][0] = 3; });
  refuses([](Json& j) { j["targets"]["history"] = {1}; });
  refuses([](Json& j) { j = Json::array(); });
}

}  // namespace
}  // namespace podium::eval
