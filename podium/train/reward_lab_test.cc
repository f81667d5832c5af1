#include "podium/train/reward_lab.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"
#include "podium/sid/codebook.h"
#include "podium/train/qwen3.h"
#include "podium/train/reward_lab_command.h"
#include "podium/train/test_job.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using rerank::TestWorld;

TEST(RewardLab, ArmsDifferInTheirRewardAlone) {
  RlOptions base;
  base.steps = 17;
  std::set<std::string> rewards;
  for (const LabArm& arm : lab_arms(lab_arm_names(), base)) {
    EXPECT_EQ(arm.options.steps, 17);
    EXPECT_TRUE(rewards.insert(arm.options.rank + arm.options.gate + arm.options.credit).second);
  }
  EXPECT_EQ(rewards.size(), 5u);
  EXPECT_EQ(lab_arms({"gain"}, base).front().options.rank, "ndcg-gain");
  EXPECT_THROW(lab_arms({"gains"}, base), Error);
}

TEST(RewardLab, OnlyEqualsChangePlaces) {
  const TestWorld world;
  Rng rng(5);
  rerank::Slate slate = world.random_slate(rng, 6);
  for (size_t i = 0; i < 6; ++i) slate.candidates[i].evidence.fill(uint8_t(i % 2 ? 3 : i == 4));
  bool moved = false;
  for (int i = 0; i < 20; ++i) {
    const rerank::Slate permuted = equals_permuted(slate, rng);
    std::set<rerank::ItemIndex> items;
    for (size_t c = 0; c < 6; ++c) {
      EXPECT_EQ(permuted.candidates[c].evidence, slate.candidates[c].evidence);
      items.insert(permuted.candidates[c].item);
    }
    EXPECT_EQ(items.size(), 6u);
    EXPECT_EQ(permuted.candidates[4].item, slate.candidates[4].item) << "it has no equal";
    moved |= permuted.candidates[1].item != slate.candidates[1].item;
  }
  EXPECT_TRUE(moved);
}

// A policy that answers in the order of scores, wherever a candidate stands: no place tells it
// anything. Without scores it answers in the order of places: shuffles are all that it sees.
TEST(RewardLab, TheProbeTellsPlacesFromScores) {
  setup_torch(1, 1);
  const TestWorld world;
  const auto context = world.context_with_text();
  const rerank::ModelSpec spec = runtime::tiny_spec(world.tokenizer().vocab());
  const Qwen3 policy = for_slates(Qwen3(spec, 3), TestWorld::kTextWidth, TestWorld::kNumbers, 3);
  Rng rng(5);
  std::vector<rerank::Slate> slates;
  for (int i = 0; i < 60; ++i) {
    slates.push_back(world.described_slate(rng, 6));
    for (size_t c = 0; c < 6; ++c) {
      slates.back().candidates[c].gain = c == 0;  // upstream is right
      slates.back().candidates[c].evidence.fill(uint8_t(c < 2));
    }
  }
  const auto near = [](const Json& value, double expected, double tolerance) {
    EXPECT_NEAR(value.get<double>(), expected, tolerance);
  };
  const Json by_score = probe_order(*policy, {context, slates});
  near(by_score["given"], 1, 1e-9);
  near(by_score["equal_evidence"], 1, 1e-9);
  near(by_score["shuffled"], 1, 1e-9);
  near(by_score["equal_share"], 1, 1e-9);
  for (auto& slate : slates) {
    for (auto& candidate : slate.candidates) candidate.upstream_score = 0;
  }
  const Json by_place = probe_order(*policy, {context, slates});
  near(by_place["given"], 1, 1e-9);
  near(by_place["equal_evidence"], (1 + 1 / std::log2(3)) / 2, 0.08);
  EXPECT_LT(by_place["shuffled"].get<double>(), 0.75);
  EXPECT_EQ(observe_shuffled(*policy, {context, slates})["shuffled_ndcg10"], by_place["shuffled"]);
}

// A shop, its semantic IDs, slates and a policy as files.
class LabRun : public testing::Test {
 protected:
  LabRun() {
    setup_torch(1, 1);
    set_quiet(true);
    Rng rng(5);
    sid::SidModel sids;
    sids.table = world_.sids();
    sids.dim = 1;
    sids.centroids.assign(size_t(TestWorld::kLevels * TestWorld::kCodes), 0);
    fs::create_directories(root_ / "sid");
    sid::save_sid(root_ / "sid", sids);
    std::vector<rerank::Slate> slates;
    for (int i = 0; i < 60; ++i) {
      slates.push_back(world_.random_slate(rng, 4));
      slates.back().candidates[0].gain = 0;
      slates.back().candidates[1].gain = 1;
    }
    fs::create_directories(root_ / "slates");
    write_slates(root_ / "slates", world_.dataset(), slates);
    fs::create_directories(root_ / "policy");
    save_policy(root_ / "policy", *Qwen3(runtime::tiny_spec(world_.tokenizer().vocab()), 3),
                world_.tokenizer());
  }
  ~LabRun() override { set_quiet(false); }

  void run(const std::string& more) const {
    CLI::App app;
    add_reward_lab_command(app);
    app.parse("reward-lab --data " + world_.dir().string() + " --sid " + (root_ / "sid").string() +
              " --policy " + (root_ / "policy").string() + " --slates " +
              (root_ / "slates").string() + " --out " + out_.string() +
              " --no-trace --no-prompt.text --rl.steps 2 --rl.prompts 4 --rl.rollouts 4 "
              "--rl.eval-every 1 " +
              more);
  }

  TestWorld world_;
  const fs::path root_ = scratch_dir("reward_lab"), out_ = root_ / "out";
};

TEST_F(LabRun, RecordsEveryArmAndRunsNoneTwice) {
  run("--arms ndcg-plain gain-by-rank");
  const Json lab = read_json(out_ / "lab.json");
  ASSERT_EQ(lab["arms"].size(), 2u);
  for (const Json& arm : lab["arms"]) {
    ASSERT_EQ(arm["curve"].size(), 3u);
    for (const Json& row : arm["curve"]) {
      for (const char* key :
           {"identity_rate", "tau", "first_kept", "ndcg", "shuffled_ndcg3", "shuffled_ndcg10"}) {
        EXPECT_TRUE(row.contains(key)) << key;
      }
    }
    EXPECT_EQ(arm["curve"][0], lab["arms"][0]["curve"][0]) << "one start";
    EXPECT_TRUE(arm["probe"].contains("equal_evidence"));
  }
  EXPECT_TRUE(lab["evasions"]["ndcg-plain"][0]["pays"].get<bool>()) << "copying";
  EXPECT_FALSE(lab["evasions"]["gain-by-rank"][0]["pays"].get<bool>());
  const std::string table = read_file(out_ / "lab.md");
  EXPECT_NE(table.find("| swap-last |"), std::string::npos) << table;
  EXPECT_NE(table.find("| gain-by-rank | 2 |"), std::string::npos) << table;

  const auto written = [&](const char* arm) {
    return fs::last_write_time(out_ / "arms" / arm / "arm.json");
  };
  const auto kept = written("ndcg-plain"), again = written("gain-by-rank");
  fs::remove(out_ / "arms/gain-by-rank/arm.json");
  run("--arms ndcg-plain gain-by-rank");
  EXPECT_EQ(written("ndcg-plain"), kept);
  EXPECT_NE(written("gain-by-rank"), again);
  EXPECT_EQ(read_file(out_ / "lab.md"), table);
  run("--arms ndcg-plain --rl.alpha 0.2");
  EXPECT_NE(written("ndcg-plain"), kept) << "another reward";
}

}  // namespace
}  // namespace podium::train
