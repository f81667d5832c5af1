// DAPO's parts by hand, and what the loop makes of them: long traces, the pull to the start, the
// early end, trainer against engine.
#include "podium/train/dapo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/policy_validate.h"
#include "podium/train/qwen3.h"
#include "podium/train/rl.h"
#include "podium/train/test_job.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using rerank::TestWorld;
using torch::Tensor;

TEST(Dapo, LongTracesCostMoreWithEachToken) {
  EXPECT_DOUBLE_EQ(overlong_penalty(0, 4, 8), 0);
  EXPECT_DOUBLE_EQ(overlong_penalty(4, 4, 8), 0);
  EXPECT_DOUBLE_EQ(overlong_penalty(5, 4, 8), -0.25);
  EXPECT_DOUBLE_EQ(overlong_penalty(8, 4, 8), -1);
  EXPECT_DOUBLE_EQ(overlong_penalty(9, 4, 8), -1);
  EXPECT_DOUBLE_EQ(overlong_penalty(8, 8, 8), 0) << "no trace is longer than the most";
}

TEST(Dapo, ATraceIsCountedWithoutItsEnd) {
  using rerank::TokenKind;
  constexpr text::TokenId kOpen = 7;
  runtime::Rollout stopped{.tokens = {1, 20, 21, kOpen, 3},
                           .logprob = {},
                           .kind = {TokenKind::kForced, TokenKind::kTrace, TokenKind::kTrace,
                                    TokenKind::kTrace, TokenKind::kChoice},
                           .order = {}};
  EXPECT_EQ(trace_tokens(stopped, kOpen), 2u);
  stopped.kind[3] = TokenKind::kForced;  // the longest that there may be
  EXPECT_EQ(trace_tokens(stopped, kOpen), 2u);
}

// A policy of two layers, and slates whose first number says what the user will choose.
class DapoLoop : public testing::Test {
 protected:
  DapoLoop() {
    setup_torch(1, 1);
    Rng rng(11);
    while (slates_.train.size() < 60) slates_.train.push_back(numbered_slate(world_, rng, 4));
    while (slates_.valid.size() < 20) slates_.valid.push_back(numbered_slate(world_, rng, 4));
  }

  Qwen3 policy(uint64_t seed) const {
    const rerank::ModelSpec spec = runtime::tiny_spec(world_.tokenizer().vocab());
    return for_slates(Qwen3(spec, seed), TestWorld::kTextWidth, TestWorld::kNumbers, seed);
  }

  static RlOptions options() {
    RlOptions rl;
    rl.steps = 6;
    rl.prompts = 6;
    rl.rollouts = 4;
    rl.max_trace = 6;
    rl.learning_rate = 3e-3;
    rl.eval_every = 2;
    return rl;
  }

  Json run(Qwen3& model, const RlOptions& rl, const StageJob& job, bool with_trace = false) const {
    return reinforce(model, world_.context_with_text(), slates_, {rl, with_trace}, job);
  }

  static std::vector<Json> rows(const StageJob& job) {
    std::vector<Json> all;
    std::istringstream lines(read_file(job.work / "metrics.done.jsonl"));
    for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
    return all;
  }

  TestWorld world_;
  SlateSets slates_;
};

TEST_F(DapoLoop, LongTracesAreCharged) {
  RlOptions rl = options();
  rl.steps = 1;
  const StageJob free = fresh_job("trace_free"), dear = fresh_job("trace_dear");
  Qwen3 one = policy(3), other = policy(3);
  run(one, rl, free, /*with_trace=*/true);
  rl.overlong_from = 0;
  rl.overlong_weight = 10;
  run(other, rl, dear, true);
  EXPECT_GT(rows(free)[0]["reward"].get<double>(), -1);
  const double tokens = rows(dear)[0]["trace_tokens"];
  EXPECT_GT(tokens, 5) << "who has learnt nothing hardly ever stops";
  EXPECT_NEAR(rows(dear)[0]["reward"].get<double>(), -10 * tokens / 6, 1);
  const StageJob answers = fresh_job("trace_none");
  Qwen3 third = policy(3);
  run(third, rl, answers, false);
  EXPECT_GT(rows(answers)[0]["reward"].get<double>(), -1) << "without a trace there is none";
  EXPECT_FALSE(rows(answers)[0].contains("trace_tokens"));
}

TEST_F(DapoLoop, ThePullToTheStartKeepsThePolicyNear) {
  const auto distance = [&](double weight) {
    RlOptions rl = options();
    rl.kl_weight = weight;
    const StageJob job = fresh_job("pull");
    Qwen3 model = policy(3);
    run(model, rl, job);
    const auto all = rows(job);
    EXPECT_LT(all.front()["start_divergence"].get<double>(), 0.1);
    return all.back()["start_divergence"].get<double>();
  };
  const double loose = distance(1e-6), held = distance(30);
  EXPECT_GT(loose, 1e-3);
  EXPECT_LT(held, 0.5 * loose);
}

TEST_F(DapoLoop, TheStartSurvivesAKill) {
  RlOptions rl = options();
  rl.kl_weight = 0.5;
  const StageJob whole = fresh_job("start_whole");
  Qwen3 undisturbed = policy(3);
  const Json expected = run(undisturbed, rl, whole);
  StageJob job = fresh_job("start_cut", 0);
  job.stop = killed_at(4);
  Qwen3 cut = policy(3);
  EXPECT_THROW(run(cut, rl, job), std::runtime_error);
  job.stop = [] { return false; };
  Qwen3 again = policy(9);  // all weights come from the stage's folder
  EXPECT_EQ(run(again, rl, job), expected);
  EXPECT_EQ(read_file(job.work / "metrics.done.jsonl"),
            read_file(whole.work / "metrics.done.jsonl"));
}

TEST_F(DapoLoop, PatienceEndsWhatGetsNoBetter) {
  RlOptions rl = options();
  rl.steps = 30;
  rl.prompts = 2;
  rl.learning_rate = 1e-9;
  rl.patience = 3;
  Qwen3 model = policy(3);
  const Json stats = run(model, rl, fresh_job("patience"));
  EXPECT_EQ(stats["steps"], 6) << "three validations, two steps apart";
  EXPECT_EQ(stats["best_step"], 0);
  EXPECT_EQ(stats["validation"].size(), 4u);
  rl.steps = 8;
  rl.patience = 0;
  Qwen3 other = policy(3);
  EXPECT_EQ(run(other, rl, fresh_job("no_patience"))["steps"], 8);
}

TEST_F(DapoLoop, TrainerAndEngineAreCompared) {
  const StageJob job = fresh_job("mismatch");
  Qwen3 model = policy(3);
  RlOptions rl = options();
  rl.epochs = 2;  // later passes differ from what was sampled, and are no mismatch
  run(model, rl, job, /*with_trace=*/true);
  for (const Json& row : rows(job)) {
    const double mean = row["mismatch_mean"], most = row["mismatch_max"];
    EXPECT_GT(mean, 0);
    EXPECT_GE(most, mean);
    EXPECT_LT(most, 1e-3);
  }
}

TEST_F(DapoLoop, AnEngineOfOtherWeightsIsSeen) {
  const auto context = world_.context_with_text();
  Qwen3 model = policy(3);
  RolloutGroup group{slates_.train[0], {}, {}, {}};
  group.rollouts = engine_over(*model).decode(
      context, {&group.slate, 1}, {.with_trace = false, .temperature = 1, .samples = 3}, 1);
  group.rollouts[1].logprob[1] += 0.5F;  // the first name
  ASSERT_EQ(group.rollouts[1].kind[1], rerank::TokenKind::kChoice);
  GradientWorkers workers(model, frozen_of(context, model->spec.vocab), 1);
  const std::vector<Example> examples = {group_example(context, group, false, 6)};
  const auto result = surrogate_backward(workers, examples, {}, 0);
  EXPECT_NEAR(result.largest, 0.5, 1e-3);
  EXPECT_NEAR(result.statistics[kMismatch], 0.5, 1e-2);
}

}  // namespace
}  // namespace podium::train
