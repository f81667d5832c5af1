// The policy's stages on slates whose evidence tells the positive: they must learn to read it.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/finite.h"
#include "podium/base/scratch.h"
#include "podium/rerank/evidence_teacher.h"
#include "podium/rerank/test_world.h"
#include "podium/train/checkpoint.h"
#include "podium/train/dapo.h"
#include "podium/train/midtrain.h"
#include "podium/train/policy_validate.h"
#include "podium/train/rl.h"
#include "podium/train/sft.h"
#include "podium/train/test_job.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

using torch::Tensor;

// The positive alone was "together" strongly; its place in the input order is pure chance.
rerank::Slate telling_slate(const rerank::TestWorld& world, Rng& rng, int k) {
  rerank::Slate slate = world.random_slate(rng, k, 3);
  const size_t positive = rng.below(uint64_t(k));
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    auto& candidate = slate.candidates[i];
    candidate.evidence.fill(0);
    candidate.evidence[rerank::kTogether] = i == positive ? 3 : uint8_t(rng.below(2));
    candidate.gain = i == positive;
  }
  return slate;
}

SlateSets telling_slates(const rerank::TestWorld& world, size_t train, size_t valid) {
  Rng rng(11);
  SlateSets sets;
  for (size_t i = 0; i < train; ++i) sets.train.push_back(telling_slate(world, rng, 4));
  for (size_t i = 0; i < valid; ++i) sets.valid.push_back(telling_slate(world, rng, 4));
  return sets;
}

Qwen3 small_model(const rerank::TestWorld& world, uint64_t seed) {
  return Qwen3(small_spec(world), seed);
}

bool same_weights(const Qwen3& a, const Qwen3& b) {
  for (size_t i = 0; i < a->weights.size(); ++i) {
    if (!torch::equal(a->weights[i], b->weights[i])) return false;
  }
  return true;
}

class PolicyStages : public testing::Test {
 protected:
  PolicyStages() { setup_torch(1, 1); }
  std::vector<rerank::Trace> drawn(const SlateSets& slates, const rerank::TeacherOptions& o) {
    return rerank::draw_traces(context_, slates.train, rerank::EvidenceTeacher(o.temperature), o, 5,
                               1);
  }
  const rerank::TestWorld world_;
  const rerank::PromptContext context_ = world_.context();
};

TEST_F(PolicyStages, SftThenRlLearnToReadEvidence) {
  const SlateSets slates = telling_slates(world_, 400, 100);
  Qwen3 model = small_model(world_, 2);
  SftOptions sft_options;
  sft_options.epochs = 2;  // or nothing would be left for RL to learn
  sft_options.learning_rate = 2e-3;
  sft_options.no_trace_share = 0.6;
  sft_options.form_weight = 0;  // so few steps would learn little else
  // The scores tell nothing here, so the teacher must try every candidate.
  const auto traces = drawn(slates, {.temperature = 3});
  const Json stats = sft(model, context_, slates, traces, sft_options, fresh_job("sft"));
  EXPECT_GT(stats["accept_rate"].get<double>(), 0.15);
  EXPECT_LT(stats["accept_rate"].get<double>(), 0.5);
  const Validation taught = validate(*model, context_, slates.valid, {100, false, 64, 2});

  RlOptions rl_options;
  rl_options.steps = 30;
  rl_options.prompts = 16;
  rl_options.learning_rate = 1e-3;
  rl_options.eval_every = 5;
  const Json learned =
      reinforce(model, context_, slates, {rl_options, /*with_trace=*/false}, fresh_job("rl"));
  const Validation after = validate(*model, context_, slates.valid, {100, false, 64, 2});
  EXPECT_GT(after.ndcg, taught.ndcg + 0.03);
  EXPECT_GT(after.gain(), 0.3) << "SFT " << taught.ndcg << ", input " << after.input_ndcg;
  EXPECT_EQ(after.ndcg, learned["validation"][learned["best_step"].get<int>() / 5]["ndcg"]);
}

TEST_F(PolicyStages, MidtrainLearnsAndSeesNoTarget) {
  const data::Split split = data::leave_one_out(world_.dataset());
  MidtrainOptions options;
  options.steps = 30;
  options.batch_tokens = 512;
  options.learning_rate = 1e-2;
  const MidtrainSource source(context_, split.slates.fit, options, 5);
  Qwen3 model = small_model(world_, 2);
  const Json stats = midtrain(model, source, options, fresh_job("midtrain"));
  EXPECT_LT(stats["last_loss"].get<double>(), stats["first_loss"].get<double>() - 1.5);

  // The one user's newest three events are targets of the phases: no sequence holds them.
  const auto events = world_.dataset().items_of(0);
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const auto tokens = source.sequence(rng);
    for (size_t held = events.size() - 3; held < events.size(); ++held) {
      std::vector<TokenId> sid;
      rerank::append_sid(context_, events[held], sid);
      EXPECT_EQ(std::search(tokens.begin(), tokens.end(), sid.begin(), sid.end()), tokens.end());
    }
  }
}

// Kills a stage of so many steps at a random one, then calls it again: the same bits as in one go.
template <class Stage>
void expect_resumption(const rerank::TestWorld& world, const std::string& name, uint64_t steps,
                       const Stage& stage) {
  Qwen3 whole = small_model(world, 2);
  const StageJob undisturbed = fresh_job(name + "_whole");
  const Json expected = stage(whole, undisturbed);
  const uint64_t poll = 2 + std::random_device()() % (steps - 1);
  SCOPED_TRACE(name + " killed before step " + std::to_string(poll));
  StageJob job = fresh_job(name + "_cut", 0);
  job.stop = killed_at(poll);
  Qwen3 cut = small_model(world, 2);
  EXPECT_THROW(stage(cut, job), std::runtime_error);
  ASSERT_TRUE(fs::exists(job.work / "checkpoint.safetensors"));
  EXPECT_FALSE(fs::exists(job.work / "metrics.done.jsonl"));
  torch::randn({100});  // another process would not have this generator's state
  job.stop = [] { return false; };
  Qwen3 again = small_model(world, 2);
  EXPECT_EQ(stage(again, job), expected);
  EXPECT_TRUE(same_weights(whole, again));
  EXPECT_EQ(read_file(job.work / "metrics.done.jsonl"),
            read_file(undisturbed.work / "metrics.done.jsonl"));
}

TEST_F(PolicyStages, ResumeBitExactlyWhereverTheyWereKilled) {
  const SlateSets slates = telling_slates(world_, 30, 10);
  const data::Split split = data::leave_one_out(world_.dataset());
  expect_resumption(world_, "resume_midtrain", 6, [&](Qwen3& model, const StageJob& job) {
    MidtrainOptions options;
    options.steps = 6;
    options.batch_tokens = 128;
    const MidtrainSource source(context_, split.slates.fit, options, 5);
    return midtrain(model, source, options, job);
  });
  expect_resumption(world_, "resume_sft", 6, [&](Qwen3& model, const StageJob& job) {
    SftOptions options;
    options.batch_slates = 8;
    return sft(model, context_, slates, drawn(slates, {}), options, job);
  });
  expect_resumption(world_, "resume_rl", 5, [&](Qwen3& model, const StageJob& job) {
    RlOptions options;
    options.steps = 5;
    options.prompts = 4;
    options.rollouts = 4;
    options.max_trace = 6;
    options.eval_every = 2;
    options.learning_rate = 1e-2;
    return reinforce(model, context_, slates, {options, true}, job);
  });
}

TEST_F(PolicyStages, DivergenceEndsTheStageAndKeepsNothing) {
  const SlateSets slates = telling_slates(world_, 30, 10);
  const data::Split split = data::leave_one_out(world_.dataset());
  const auto expect_end = [&](const std::string& option, const auto& stage) {
    const StageJob job = fresh_job("diverge", 0);
    Qwen3 model = small_model(world_, 2);
    try {
      stage(model, job);
      FAIL() << option;
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(" not finite at step "), std::string::npos) << error.what();
      EXPECT_EQ(error.cure(), "lower " + option);
    }
    const artifact::SafetensorsFile kept(job.work / "checkpoint.safetensors");
    for (const auto& [name, view] : kept.tensors()) {
      if (name.starts_with("param/")) {
        EXPECT_TRUE(all_finite(kept.get<float>(name))) << name;
      }
    }
    const fs::path log = job.work / "metrics.jsonl";
    if (fs::exists(log)) {
      EXPECT_EQ(read_file(log).find("null"), std::string::npos);
    }
    EXPECT_FALSE(fs::exists(job.work / "metrics.done.jsonl"));
  };
  expect_end("midtrain.learning_rate", [&](Qwen3& model, const StageJob& job) {
    MidtrainOptions options;
    options.steps = 8;
    options.batch_tokens = 128;
    options.learning_rate = 1e25;
    midtrain(model, MidtrainSource(context_, split.slates.fit, options, 5), options, job);
  });
  expect_end("sft.learning_rate", [&](Qwen3& model, const StageJob& job) {
    SftOptions options;
    options.learning_rate = 1e25;
    sft(model, context_, slates, drawn(slates, {}), options, job);
  });
  for (const bool with_trace : {true, false}) {
    expect_end(with_trace ? "rl.learning_rate" : "rl_fast.learning_rate",
               [&](Qwen3& model, const StageJob& job) {
                 RlOptions options;
                 options.steps = 4;
                 options.prompts = 4;
                 options.rollouts = 4;
                 options.max_trace = 6;
                 options.learning_rate = 1e25;
                 reinforce(model, context_, slates, {options, with_trace}, job);
               });
  }
}

TEST_F(PolicyStages, SftWeighsTraceBelowAnswerAndTakesFormOnlyFromRejectedSlates) {
  const SlateSets slates = telling_slates(world_, 60, 1);
  SftOptions options;
  options.no_trace_share = 0.5;
  options.label_weight = 0;
  options.form_weight = 0.1;
  const auto traces = drawn(slates, {.tries = 1});
  const auto epoch = sft_epoch(slates.train, traces, options, 5, 0);
  ASSERT_EQ(epoch.size(), slates.train.size());
  int accepted = 0;
  for (const SftSample& sample : epoch) {
    const bool right = sample.slate.candidates[sample.teacher.order.front()].gain == 1;
    ASSERT_EQ(sample.teaches, right ? Teaches::kAnswer : Teaches::kForm);
    accepted += right;
    const Example example = sft_example(context_, sample, options);
    size_t traced = 0;
    size_t form = 0;
    for (const ScoredToken& scored : example.scored) {
      if (scored.over == Over::kVocabulary || scored.over == Over::kMay) {
        EXPECT_EQ(scored.weight, 0.1F);
        ++form;
        continue;
      }
      ASSERT_TRUE(right);
      traced += scored.over == Over::kTrace;
      const std::map<Over, float> weight{{Over::kTrace, 0.3F}, {Over::kListed, 1.0F}};
      const bool decides = scored.over == Over::kTrace && traced == sample.teacher.trace.size();
      EXPECT_EQ(scored.weight, decides ? 1.0F : weight.at(scored.over));
    }
    EXPECT_GE(form, 2 * sample.slate.candidates.size());
    EXPECT_EQ(traced, right && sample.with_trace ? sample.teacher.trace.size() + 1 : 0);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, int(epoch.size()));
  options.form_weight = 0;
  EXPECT_EQ(sft_epoch(slates.train, traces, options, 5, 0).size(), size_t(accepted));
}

TEST_F(PolicyStages, SftAlsoTeachesWhatTheUserChose) {
  SlateSets slates = telling_slates(world_, 20, 1);
  SftOptions options;
  options.label_weight = 0.5;
  options.form_weight = 0;
  const auto epoch = sft_epoch(slates.train, {}, options, 5, 0);
  ASSERT_EQ(epoch.size(), slates.train.size()) << "no trace is needed";
  rerank::Slate& slate = slates.train[0];
  for (auto& candidate : slate.candidates) candidate.gain = 0;
  slate.candidates[1].gain = 1;
  slate.candidates[2].gain = 3;
  options.label_ranks = 2;
  const Example example = sft_example(context_, {slate, {}, false, Teaches::kLabels}, options);
  ASSERT_EQ(example.scored.size(), 4U);
  const double second = 1 / std::log2(3.0);
  for (size_t i = 0; i < 4; ++i) {
    const ScoredToken& scored = example.scored[i];
    const size_t rank = i / 2;
    EXPECT_EQ(scored.target, world_.vocabulary().candidate(i % 2 + 1));
    EXPECT_EQ(scored.row, example.tokens() - 3 + 2 * int64_t(rank)) << "a comma between";
    EXPECT_EQ(scored.allowed.size(), slate.candidates.size() - rank) << "candidate 0 was named";
    EXPECT_NEAR(scored.weight, (i % 2 ? 0.375 : 0.125) * (rank ? second : 1) / (1 + second), 1e-6);
  }
  options.label_ranks = 1000;
  const Example whole = sft_example(context_, {slate, {}, false, Teaches::kLabels}, options);
  EXPECT_EQ(whole.scored.size(), 2 * (slate.candidates.size() - 2))
      << "as many as there are others";
}

TEST(Dapo, AdvantagesAndClipByHand) {
  EXPECT_TRUE(group_advantages(std::vector<double>{0.4, 0.4, 0.4}).empty());
  const auto a = group_advantages(std::vector<double>{1, 0, 0, 1});  // mean 0.5, deviation 0.5
  EXPECT_NEAR(a[0], 1, 1e-4);
  EXPECT_NEAR(a[1], -1, 1e-4);
  // Ratios 2, 2, 0.5, 0.5 with advantages 1, -1, 1, -1 under the clip [0.8, 1.28].
  const Tensor logprob = torch::tensor({2.0, 2.0, 0.5, 0.5}).log();
  const Tensor s = clipped_surrogate(logprob, torch::zeros({4}, torch::kDouble),
                                     torch::tensor({1.0, -1.0, 1.0, -1.0}), 0.2, 0.28);
  const std::vector<double> expected = {1.28, -2, 0.5, -0.8};
  for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(s[i].item<double>(), expected[i], 1e-6) << i;
}

// An order that is nearly right already: copying it pays under the plain gate alone.
TEST(Dapo, ConditionalGateTakesTheAdvantageFromCopies) {
  rerank::Slate slate;
  for (const int gain : {0, 1, 0, 0}) slate.candidates.push_back({.gain = uint8_t(gain)});
  const std::vector<int> copy = {0, 1, 2, 3}, worse = {0, 2, 3, 1}, better = {1, 0, 2, 3};
  RlOptions options;
  options.rank = "ndcg";
  const auto advantages = [&](const std::string& gate) {
    options.gate = gate;
    const rerank::SlateReward reward(reward_options(options), nullptr);
    std::vector<double> rewards;
    for (const auto& answer : {copy, worse, better}) {
      rewards.push_back(reward(slate, answer));
    }
    return group_advantages(rewards);
  };
  const auto plain = advantages("plain"), conditional = advantages("conditional");
  EXPECT_GT(plain[0], plain[1]);              // the copy beats a worse order
  EXPECT_LT(conditional[0], conditional[1]);  // the copy is the worst of all
  EXPECT_GT(conditional[2], 1);
  options.gate = "strict";
  EXPECT_THROW(reward_options(options), Error);
}

}  // namespace
}  // namespace podium::train
