// A frozen backbone: what learns, what does not, and what that gives.
#include "podium/train/learnt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/gradient.h"
#include "podium/train/midtrain.h"
#include "podium/train/new_policy.h"
#include "podium/train/policy_batch.h"
#include "podium/train/test_job.h"

namespace podium::train {
namespace {

using runtime::tiny_spec;
using torch::Tensor;

constexpr int kVocab = 50, kFirstRow = 40;

AdaptOptions lora() { return {.freeze = true, .rank = 2, .alpha = 6, .projections = "attention"}; }

Qwen3 frozen_model(const AdaptOptions& options = lora()) {
  rerank::ModelSpec spec = tiny_spec(kVocab);
  spec.tied = false;
  Qwen3 model(spec, 3);
  model->adapt(options, kFirstRow, 7);
  return model;
}

std::vector<Example> documents(size_t count) {
  Rng rng(4);
  std::vector<Example> examples;
  for (size_t i = 0; i < count; ++i) {
    std::vector<TokenId> tokens(12);
    for (TokenId& token : tokens) token = TokenId(rng.below(kVocab));
    examples.push_back(document_example(tokens));
  }
  return examples;
}

Frozen everything() { return {torch::ones({kVocab}, torch::kBool), {}}; }

double backward(Qwen3& model, std::vector<Example> examples) {
  GradientWorkers workers(model, everything(), 1, {}, 30);
  return workers
      .backward(examples,
                [](const Tensor& logprob, const Example&) {
                  return PartLoss{-logprob.mean(), {}};
                })
      .loss;
}

void train_steps(Qwen3& model, int steps) {
  torch::optim::AdamW adam = make_adamw(model, 0.05, 0.1);
  for (int step = 0; step < steps; ++step) {
    optimizer_step(model, adam, 0.05, backward(model, documents(6)), {step + 1, "test"});
  }
}

std::vector<Tensor> copies(const std::vector<Tensor>& weights) {
  std::vector<Tensor> copied;
  for (const Tensor& weight : weights) copied.push_back(weight.detach().clone());
  return copied;
}

double farthest(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Learnt, WhatIsFrozenDoesNotMoveByABit) {
  Qwen3 model = frozen_model();
  const std::vector<Tensor> before = copies(model->weights);
  train_steps(model, 3);
  const auto table = rerank::tensor_table(model->spec);
  for (size_t i = 0; i < table.size(); ++i) {
    const Tensor& now = model->weights[i];
    const std::string& name = table[i].name;
    if (name == rerank::kEmbedding || name == rerank::kHead) {
      const auto old = [](const Tensor& rows) { return rows.slice(0, 0, kFirstRow); };
      EXPECT_TRUE(torch::equal(old(now), old(before[i]))) << name;
      EXPECT_FALSE(torch::equal(now.slice(0, kFirstRow), before[i].slice(0, kFirstRow))) << name;
      continue;
    }
    const bool adapted = name.find("self_attn") != name.npos && name.find("proj") != name.npos;
    EXPECT_EQ(torch::equal(now, before[i]), !adapted) << name;
  }
}

TEST(Learnt, MergedWeightsAreTheSumAndTheirGradientsThoseOfAdapters) {
  Qwen3 model = frozen_model();
  const std::vector<Tensor> before = copies(model->weights);
  train_steps(model, 2);
  backward(model, documents(6));
  // The same by the formula: leaves, and weights that LibTorch itself differentiates.
  std::vector<Tensor> leaves, weights = copies(model->weights);
  for (const auto& part : model->learnt->named_parameters()) {
    leaves.push_back(part.value().detach().clone().requires_grad_());
  }
  const auto table = rerank::tensor_table(model->spec);
  const auto parts = model->learnt->named_parameters().keys();
  for (size_t p = 0; p < parts.size(); ++p) {
    std::string name = parts[p];
    std::replace(name.begin(), name.end(), '/', '.');
    const auto at = [&](const std::string& wanted) {
      size_t i = 0;
      while (i < table.size() && table[i].name != wanted) ++i;
      return i;
    };
    if (at(name) < table.size()) {  // rows
      weights[at(name)] = torch::cat({before[at(name)].slice(0, 0, kFirstRow), leaves[p]});
    } else if (name.ends_with(".down")) {
      const size_t i = at(name.substr(0, name.size() - 5));
      weights[i] = before[i] + 3 * torch::mm(leaves[p + 1], leaves[p]);
      EXPECT_LT(farthest(weights[i], model->weights[i]), 1e-6) << name;
    }
  }
  Tensor loss = torch::zeros({1});
  for (const Example& example : documents(6)) {
    loss = loss - log_probs(model->spec, weights, example, everything()).sum();
  }
  const auto wanted = torch::autograd::grad({loss}, leaves);
  for (size_t p = 0; p < leaves.size(); ++p) {
    // backward() took the mean of two documents of 11 tokens at a time.
    EXPECT_LT(farthest(model->learnt->parts[p].grad() * 22, wanted[p]),
              1e-4 * (1 + wanted[p].abs().max().item<double>()))
        << parts[p];
  }
}

TEST(Learnt, RecomputedLayersGiveTheSameBits) {
  const auto gradients = [](bool recompute, bool freeze) {
    AdaptOptions options = freeze ? lora() : AdaptOptions();
    options.recompute = recompute;
    Qwen3 model = frozen_model(options);
    EXPECT_EQ(model->recompute, recompute);
    std::vector<Example> examples = documents(6);
    for (Example& example : examples) example.packed.dropout = {.share = 0.3, .seed = 9};
    backward(model, examples);
    std::vector<Tensor> found;
    for (const Tensor& part : model->learnt->parts) found.push_back(part.grad().clone());
    return found;
  };
  for (const bool freeze : {false, true}) {
    const auto kept = gradients(false, freeze), again = gradients(true, freeze);
    ASSERT_EQ(kept.size(), again.size());
    for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(torch::equal(kept[i], again[i])) << i;
  }
}

// The same direction as in fp32, but not the same numbers; with recomputed layers the same bits.
TEST(Learnt, ProductsInBfloat16AreCloseToThoseInFp32) {
  const auto gradient = [](const std::string& precision, bool recompute) {
    AdaptOptions options;
    options.precision = precision;
    options.recompute = recompute;
    Qwen3 model = frozen_model(options);
    std::vector<Example> examples = documents(6);
    backward(model, examples);
    std::vector<Tensor> found;
    for (const Tensor& part : model->learnt->parts) {
      EXPECT_EQ(part.grad().scalar_type(), torch::kFloat);
      found.push_back(part.grad().flatten());
    }
    return torch::cat(found);
  };
  const Tensor exact = gradient("fp32", false), rough = gradient("bf16", false);
  EXPECT_GT(torch::cosine_similarity(exact, rough, 0).item<double>(), 0.99);
  EXPECT_GT((exact - rough).norm().item<double>(), 1e-4 * exact.norm().item<double>());
  EXPECT_TRUE(torch::equal(rough, gradient("bf16", true)));
}

class Backbone : public testing::Test {
 protected:
  // A Llama of more rows than tokens, as a directory.
  Backbone() {
    rerank::ModelSpec spec = tiny_spec(own_.vocab() + 9);
    spec.head_norms = spec.tied = false;
    const Qwen3 model(spec, 2);
    save_policy(dir_, *model, own_);
  }

  const rerank::TestWorld world_;
  const fs::path dir_ = scratch_dir("backbone");
  const text::Tokenizer own_ =
      text::Tokenizer::train({"low lower lowest low", "new newer newest"}, 270,
                             {"<|endoftext|>", "<|im_end|>", "<|user|>"});
  const text::Tokenizer tokenizer_ =
      own_.extended(rerank::added_tokens(rerank::TestWorld::kLevels, rerank::TestWorld::kCodes));
  const rerank::Vocabulary vocabulary_ = {tokenizer_, rerank::TestWorld::kLevels,
                                          rerank::TestWorld::kCodes};
};

TEST_F(Backbone, OldRowsStayAndNewOnesBeginNearTheirMean) {
  const Qwen3 old = load_policy(dir_), policy = policy_from(dir_, tokenizer_, vocabulary_, 1);
  EXPECT_EQ(policy->spec.vocab, tokenizer_.vocab());
  EXPECT_FALSE(policy->spec.head_norms);
  const int known = own_.vocab();
  for (const auto& [before, after] : {std::pair(old->weights.front(), policy->weights.front()),
                                      std::pair(output_embedding(old->spec, old->weights),
                                                output_embedding(policy->spec, policy->weights))}) {
    const Tensor kept = before.slice(0, 0, known);
    EXPECT_TRUE(torch::equal(kept, after.slice(0, 0, known)));
    const Tensor from_mean = (after.slice(0, known) - kept.mean(0)) / kept.std(0);
    EXPECT_LT(from_mean.abs().max().item<double>(), 0.6);
    EXPECT_NEAR(from_mean.square().mean().sqrt().item<double>(), 0.1, 0.02);
  }
  EXPECT_TRUE(torch::equal(old->weights[2], policy->weights[2]));
  EXPECT_EQ(
      rerank::first_own_token(tokenizer_, rerank::TestWorld::kLevels, rerank::TestWorld::kCodes),
      known);
  EXPECT_THROW(policy_from(dir_, world_.tokenizer(), world_.vocabulary(), 1), Error);
}

TEST_F(Backbone, ResumesWithAdaptersToTheSameBits) {
  const rerank::PromptContext context = {
      tokenizer_, vocabulary_, world_.context().sids, &world_.dataset(), {}};
  const data::Split split = data::leave_one_out(world_.dataset());
  const MidtrainOptions options = {.steps = 4, .batch_tokens = 200};
  const MidtrainSource source(context, split.slates.fit, options, 5);
  const auto policy = [&] {
    Qwen3 model = policy_from(dir_, tokenizer_, vocabulary_, 1);
    model->adapt(lora(), own_.vocab(), 1);
    return model;
  };
  Qwen3 whole = policy(), halted = policy(), resumed = policy();
  midtrain(whole, source, options, fresh_job("lora-whole"));
  StageJob job = fresh_job("lora-killed", 0);
  job.stop = killed_at(3);
  EXPECT_THROW(midtrain(halted, source, options, job), std::runtime_error);
  job.stop = [] { return false; };
  midtrain(resumed, source, options, job);
  for (size_t i = 0; i < whole->weights.size(); ++i) {
    EXPECT_TRUE(torch::equal(whole->weights[i], resumed->weights[i])) << i;
  }
}

}  // namespace
}  // namespace podium::train
