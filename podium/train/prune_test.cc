#include "podium/train/prune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "podium/base/error.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/policy_validate.h"
#include "podium/train/recover.h"
#include "podium/train/test_job.h"

namespace podium::train {
namespace {

using torch::Tensor;

class Pruning : public testing::Test {
 protected:
  Pruning() {
    rerank::ModelSpec spec = runtime::tiny_spec(int(world_.tokenizer().vocab()));
    spec.layers = 3;
    model_ =
        for_slates(Qwen3(spec, 3), rerank::TestWorld::kTextWidth, rerank::TestWorld::kNumbers, 3);
    const torch::NoGradGuard no_grad;
    torch::manual_seed(4);
    for (const Tensor& weight : model_->weights) {  // all parts are of some use
      if (weight.dim() == 2) weight.add_(torch::randn(weight.sizes()).mul_(0.1));
    }
    for (int i = 0; i < 80; ++i) {
      rerank::Slate slate = numbered_slate(world_, rng_, 5);
      slate.id += "/" + std::to_string(i);
      (i < 60 ? slates_.train : slates_.valid).push_back(slate);
    }
  }

  Tensor weight(const Qwen3& model, const std::string& name) const {
    const auto table = rerank::tensor_table(model->spec);
    const auto found = std::ranges::find(table, name, &rerank::TensorSpec::name);
    return model->weights[size_t(found - table.begin())];
  }

  std::vector<double> answer_logits(const Qwen3& model) const {
    std::vector<double> all;
    for (const auto& rollout : engine_over(*model).decode(context_, slates_.valid, kPlain, 1)) {
      all.insert(all.end(), rollout.logprob.begin(), rollout.logprob.end());
      for (const int place : rollout.order) all.push_back(place);
    }
    return all;
  }

  static constexpr runtime::DecodeOptions kPlain{.with_trace = false};
  const rerank::TestWorld world_;
  const rerank::PromptContext context_ = world_.context_with_text();
  Rng rng_{5};
  Qwen3 model_{nullptr};
  SlateSets slates_;
};

// What adds nothing goes first, and its going changes no answer.
TEST_F(Pruning, PartsThatAddNothingGo) {
  {
    const torch::NoGradGuard no_grad;
    for (const int layer : {0, 2}) {
      const std::string at = "model.layers." + std::to_string(layer);
      weight(model_, at + ".self_attn.o_proj.weight").slice(1, 0, 16).zero_();  // the first group
      weight(model_, at + ".mlp.down_proj.weight").slice(1, 8, 40).zero_();
    }
    weight(model_, "model.layers.1.self_attn.o_proj.weight").zero_();
    weight(model_, "model.layers.1.mlp.down_proj.weight").zero_();
  }
  const Importance importance = measure_importance(model_, context_, slates_.train, 2);
  EXPECT_EQ(importance.layer(1), 0);
  EXPECT_EQ(importance.groups[0][0], 0);
  EXPECT_GT(importance.groups[0][1], 0);
  EXPECT_EQ(importance.channels[2][8], 0);
  EXPECT_GT(importance.channels[2][7], 0);

  rerank::ModelSpec least = model_->spec;
  least.layers = 2;
  least.heads = 2;
  least.kv_heads = 1;
  least.ffn = 16;
  const double share = double(layer_weights(least)) / double(layer_weights(model_->spec));
  const Kept kept = choose_kept(model_->spec, importance, share);
  EXPECT_EQ(kept.layers, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(kept.groups, (std::vector<std::vector<size_t>>{{1}, {1}}));
  EXPECT_EQ(kept.channels[0].size(), 16U);
  EXPECT_EQ(kept.channels[0][8], 40U);

  const Qwen3 smaller = pruned(model_, kept);
  EXPECT_EQ(layer_weights(smaller->spec), layer_weights(least));
  const auto expected = answer_logits(model_), got = answer_logits(smaller);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4);
  EXPECT_THROW(choose_kept(model_->spec, importance, 0.05), Error);
}

// dL/dm by small steps of m, for one channel and one slate.
TEST_F(Pruning, ImportanceIsTheDerivativeSquared) {
  const std::span<const rerank::Slate> one(slates_.train.data(), 1);
  const Importance importance = measure_importance(model_, context_, one, 1);
  const auto loss_with = [&](double m) {
    const torch::NoGradGuard no_grad;
    Tensor column = weight(model_, "model.layers.1.mlp.down_proj.weight").slice(1, 5, 6);
    const Tensor before = column.clone();
    column.mul_(m);
    SlateExample example(context_, one[0], false, 1);
    example.add_labels(gains_of(one[0]), 1, 10);
    const Example made = example.take();
    const Tensor logprob =
        log_probs(model_->spec, model_->weights, made, frozen_of(context_, model_->spec.vocab));
    double loss = 0;
    for (size_t i = 0; i < made.scored.size(); ++i) {
      loss -= made.scored[i].weight * double(logprob[int64_t(i)].item<float>());
    }
    column.copy_(before);
    return loss;
  };
  const double slope = loss_with(1.5) - loss_with(0.5);
  EXPECT_NEAR(std::sqrt(importance.channels[1][5]), std::abs(slope), 0.1 * std::abs(slope) + 1e-6);
}

TEST_F(Pruning, ThreadsChangeNoBit) {
  const auto one = measure_importance(model_, context_, slates_.train, 1);
  const auto four = measure_importance(model_, context_, slates_.train, 4);
  EXPECT_EQ(one.groups, four.groups);
  EXPECT_EQ(one.channels, four.channels);
}

TEST_F(Pruning, DistilledChoicesAreTheTeachers) {
  const std::vector<int> order = {3, 1, 0, 2, 4};
  const Example example = distilled_example(context_, slates_.train[0], order, 3, *model_,
                                            frozen_of(context_, model_->spec.vocab));
  ASSERT_EQ(example.scored.size(), 5U + 4 + 3);
  double sum = 0, first = 0;
  for (size_t i = 0; i < example.scored.size(); ++i) {
    sum += example.scored[i].weight;
    if (i < 5) first += example.scored[i].weight;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(first, 1 / (1 + 1 / std::log2(3.0) + 0.5), 1e-5);
}

TEST_F(Pruning, AFrozenBackboneIsRefused) {
  Qwen3 model = model_;
  model->adapt({.freeze = true}, model->spec.vocab - 1, 1);
  EXPECT_THROW(prune(model, context_, slates_, {}, fresh_job("prune-frozen")), Error);
}

// A smaller policy comes nearer to the larger one; killed and resumed it is the same, to the bit.
TEST_F(Pruning, RecoversAndResumes) {
  PruneOptions options;
  options.keep = 0.5;
  options.steps = 12;
  options.batch_slates = 8;
  options.eval_every = 12;
  const auto run = [&](const StageJob& job) {
    Qwen3 model = model_;
    const Json stats = prune(model, context_, slates_, options, job);
    return std::pair(model, stats);
  };
  const StageJob first = fresh_job("prune");
  const auto [whole, stats] = run(first);
  std::istringstream lines(read_file(first.work / "metrics.done.jsonl"));
  std::vector<double> losses;
  for (std::string line; std::getline(lines, line);) losses.push_back(Json::parse(line)["loss"]);
  ASSERT_EQ(losses.size(), 12U);
  EXPECT_LT(losses[10] + losses[11], losses[0] + losses[1]) << "it follows the teacher";
  EXPECT_LE(stats["to"]["layer_weights"].get<double>(),
            0.5 * stats["from"]["layer_weights"].get<double>());
  EXPECT_EQ(whole->spec.parameters(), stats["to"]["parameters"].get<int64_t>());
  EXPECT_EQ(stats["validation"].size(), 2U);

  StageJob job = fresh_job("prune-killed", 0);
  job.stop = killed_at(8);
  EXPECT_THROW(run(job), std::runtime_error);
  job.stop = [] { return false; };
  const auto [resumed, again] = run(job);
  EXPECT_EQ(again, stats);
  for (size_t i = 0; i < whole->weights.size(); ++i) {
    ASSERT_TRUE(torch::equal(whole->weights[i], resumed->weights[i]));
  }
}

}  // namespace
}  // namespace podium::train
