// Policies that read slates: text, numbers, and choices that begin in the upstream's order.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "podium/base/error.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/calibrate.h"
#include "podium/train/gradient.h"
#include "podium/train/qwen3.h"
#include "podium/train/slate_example.h"

namespace podium::train {
namespace {

using rerank::TestWorld;
using torch::Tensor;

class SlatePolicy : public testing::Test {
 protected:
  SlatePolicy() {
    const rerank::ModelSpec spec = runtime::tiny_spec(world_.tokenizer().vocab());
    model_ = for_slates(Qwen3(spec, 3), TestWorld::kTextWidth, TestWorld::kNumbers, 3);
    for (int i = 0; i < 6; ++i) slates_.push_back(world_.described_slate(rng_, 7));
  }

  // What a policy is once it has learnt something.
  void disturb() {
    const torch::NoGradGuard no_grad;
    torch::manual_seed(4);
    const SlateWeights own = slate_weights(model_->spec, model_->weights);
    for (const Tensor& weight :
         {own.text, own.numbers, own.query, own.key, own.likeness_user, own.likeness_bias}) {
      weight.add_(torch::randn(weight.sizes()).mul_(0.3));
    }
    own.scale.fill_(0.7);
  }

  std::vector<runtime::Rollout> answers(const runtime::DecodeOptions& options) const {
    return engine_over(*model_).decode(world_.context_with_text(), slates_, options, 1);
  }

  TestWorld world_;
  Rng rng_{5};
  Qwen3 model_{nullptr};
  std::vector<rerank::Slate> slates_;
};

TEST_F(SlatePolicy, BeginsWithTheUpstreamsOrder) {
  for (const bool verbalize : {false, true}) {
    for (const auto& rollout : answers({.with_trace = false, .verbalize = verbalize})) {
      EXPECT_EQ(rollout.order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
    }
  }
  std::reverse(slates_[0].candidates.begin(), slates_[0].candidates.end());
  EXPECT_EQ(answers({.with_trace = false})[0].order, (std::vector<int>{6, 5, 4, 3, 2, 1, 0}))
      << "by score, wherever a candidate stands";
  for (auto& candidate : slates_[0].candidates) candidate.upstream_score = 0.5F;
  EXPECT_EQ(answers({.with_trace = false})[0].order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}))
      << "without scores as given";
}

// Candidates of categories that the answer has not had come first, however it is decoded.
TEST_F(SlatePolicy, WhatStandsIsWeighed) {
  {
    const torch::NoGradGuard no_grad;
    slate_weights(model_->spec, model_->weights).likeness_bias[3] = -100;
  }
  const auto category = [&](const rerank::Slate& slate, int i) {
    return world_.dataset().categories(slate.candidates[size_t(i)].item).back();
  };
  std::vector<std::vector<int>> expected;
  for (const rerank::Slate& slate : slates_) {
    std::vector<int> order;
    std::map<std::string_view, int> stand;
    while (order.size() < 7) {
      int best = -1;
      for (int i = 0; i < 7; ++i) {
        if (std::ranges::count(order, i) > 0) continue;
        if (best < 0 || stand[category(slate, i)] < stand[category(slate, best)]) best = i;
      }
      order.push_back(best);
      ++stand[category(slate, best)];
    }
    expected.push_back(order);
  }
  for (const runtime::DecodeOptions& options : {runtime::DecodeOptions{.with_trace = false},
                                                {.with_trace = false, .verbalize = true},
                                                {.with_trace = false, .block = 3}}) {
    const auto rollouts = answers(options);
    for (size_t s = 0; s < slates_.size(); ++s) EXPECT_EQ(rollouts[s].order, expected[s]);
  }
}

TEST_F(SlatePolicy, WhatWasLearntIsWeighed) {
  disturb();
  const SlateWeights own = slate_weights(model_->spec, model_->weights);
  const Tensor scale = own.scale.clone(), key = own.key.clone();
  Calibration start{.weight = std::vector<double>(rerank::kScores + TestWorld::kNumbers)};
  start.weight[1] = 1;
  EXPECT_EQ(weigh_residual(model_, start,
                           [] {
                             return std::vector{0.3, 0.2};
                           })["share"],
            1)
      << "all are equal";
  EXPECT_TRUE(own.scale.equal(scale) && own.key.equal(key));

  // The order as given is measured first, then the start, half of it, then all that was learnt:
  // better on average, but not surely.
  const std::vector<double> low(4, 0.4), begun = {0.5, 0.5, 0.5, 0.4}, luck = {0.9, 0.1, 0.9, 0.5};
  const auto weighed = [&](const std::vector<std::vector<double>>& values) {
    size_t measured = 0;
    return weigh_residual(model_, start, [&] { return values.at(measured++); });
  };
  const Json better = weighed({low, begun, low, luck, low, {0.52, 0.53, 0.52, 0.43}, low});
  EXPECT_EQ(better["start"], 1);
  EXPECT_EQ(better["share"], 0.5);
  const Json noise = weighed({low, begun, low, luck, low, {0.49, 0.5, 0.5, 0.4}, low});
  EXPECT_EQ(noise["start"], 1);
  EXPECT_EQ(noise["share"], 0);
  EXPECT_EQ(noise["start_curve"].size(), 3U);
  EXPECT_EQ(noise["curve"].size(), 5U);
  for (const auto& rollout : answers({.with_trace = false})) {
    EXPECT_EQ(rollout.order, (std::vector<int>{2, 4, 1, 6, 3, 0, 5}))
        << "by the ranker's scores, as the start says";
  }
  const Json none = weighed({begun, luck, low, luck, low, low, low});
  EXPECT_EQ(none["start"], 0);
  EXPECT_EQ(none["share"], 0);
  for (const auto& rollout : answers({.with_trace = false})) {
    EXPECT_EQ(rollout.order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6})) << "as it was given";
  }
}

TEST_F(SlatePolicy, TrainerAndEngineAgree) {
  disturb();
  const torch::NoGradGuard no_grad;
  for (const auto& [with_trace, claims] : {std::pair{false, false}, {true, false}, {true, true}}) {
    const auto context = world_.context_with_text({.claims = claims});
    const Frozen frozen = frozen_of(context, model_->spec.vocab);
    const runtime::DecodeOptions options{
        .with_trace = with_trace, .max_trace = 9, .temperature = 1, .samples = 2};
    const auto rollouts = engine_over(*model_).decode(context, slates_, options, 1);
    std::vector<Example> examples;
    std::vector<float> sampled;
    for (size_t s = 0; s < slates_.size(); ++s) {
      SlateExample example(context, slates_[s], with_trace, 9);
      for (size_t i = 2 * s; i < 2 * s + 2; ++i) {
        example.add_answer(rollouts[i].tokens);
        for (size_t t = 0; t < rollouts[i].tokens.size(); ++t) {
          if (rollouts[i].kind[t] == rerank::TokenKind::kForced) continue;
          sampled.push_back(rollouts[i].logprob[t]);
        }
      }
      examples.push_back(example.take());
    }
    const Tensor logprob = log_probs(model_->spec, model_->weights, concatenate(examples), frozen);
    EXPECT_LT((logprob - torch::tensor(sampled)).abs().max().item<double>(), 1e-3);
    EXPECT_GT(logprob.std().item<double>(), 0.1) << "what is compared is not constant";
  }
}

// The first name of an answer is the one that its trace ends with, and no other name than a
// candidate's is ever said.
TEST_F(SlatePolicy, ATraceDecides) {
  disturb();
  const auto& vocabulary = world_.vocabulary();
  size_t named = 0, decided = 0;
  for (const auto& rollout :
       answers({.with_trace = true, .max_trace = 9, .temperature = 2, .samples = 150})) {
    rerank::TokenId last = -1;
    for (size_t t = 0; t < rollout.tokens.size(); ++t) {
      if (rollout.tokens[t] == vocabulary.open_answer) break;
      last = rollout.tokens[t];
      const bool name = last >= vocabulary.candidate(0);
      named += name && last < vocabulary.candidate(rerank::kMaxCandidates);
      EXPECT_FALSE(name && last >= vocabulary.candidate(7) &&
                   last < vocabulary.candidate(rerank::kMaxCandidates));
    }
    if (last < vocabulary.candidate(0) || last >= vocabulary.candidate(7)) continue;
    ++decided;
    EXPECT_EQ(vocabulary.candidate(size_t(rollout.order.front())), last);
  }
  EXPECT_GT(named, 10U);
  EXPECT_GT(decided, 3U);
}

// An answer's first name, of all that a rollout without a grammar may say. With as many candidates
// as there are names: to the trainer those of none are tokens like others.
TEST_F(SlatePolicy, TrainerAndEngineAgreeWithoutAGrammar) {
  disturb();
  const torch::NoGradGuard no_grad;
  const auto context = world_.context_with_text();
  rerank::Slate slate = slates_[0];
  while (slate.candidates.size() < rerank::kMaxCandidates) {
    slate.candidates.push_back(slate.candidates[slate.candidates.size() - 7]);
  }
  const runtime::DecodeOptions options{.with_trace = false,
                                       .temperature = 100,  // all are drawn soon
                                       .samples = 40000,
                                       .constrained = false,
                                       .max_tokens = 2};
  std::map<size_t, double> names;
  for (const auto& rollout : engine_over(*model_).decode(context, {&slate, 1}, options, 1)) {
    const auto name = size_t(rollout.tokens[1] - world_.vocabulary().candidate(0));
    if (name < rerank::kMaxCandidates) names[name] = std::exp(double(rollout.logprob[1]));
  }
  ASSERT_EQ(names.size(), rerank::kMaxCandidates);
  double any = 0;
  for (const auto& [name, probability] : names) any += probability;
  std::vector<int> order(rerank::kMaxCandidates);
  std::iota(order.begin(), order.end(), 0);
  SlateExample example(context, slate, false, 1);
  example.add_answer(rerank::build_answer(context, slate, {}, false, order), {false, true});
  const Tensor logprob = log_probs(model_->spec, model_->weights, example.take(),
                                   frozen_of(context, model_->spec.vocab));
  EXPECT_NEAR(logprob[0].item<double>(), std::log(any), 1e-3);
}

// The form of answers in drawn orders is taught as a rollout without a grammar says it.
TEST_F(SlatePolicy, LearnsToAnswerWithoutAGrammar) {
  const auto context = world_.context_with_text();
  const runtime::DecodeOptions free{.with_trace = false, .constrained = false, .max_tokens = 40};
  const auto valid = [&] {
    const auto rollouts = answers(free);
    return std::ranges::count_if(rollouts, [](const auto& r) { return !r.order.empty(); });
  };
  EXPECT_EQ(valid(), 0);
  GradientWorkers workers(model_, frozen_of(context, model_->spec.vocab), 1);
  torch::optim::AdamW adam = make_adamw(model_, 3e-3, 0);
  std::vector<int> order = {0, 1, 2, 3, 4, 5, 6};
  for (int step = 0; step < 150; ++step) {
    std::vector<Example> examples;
    for (int i = 0; i < 8; ++i) {
      const rerank::Slate slate = world_.described_slate(rng_, 7);
      rng_.shuffle(std::span(order));
      SlateExample example(context, slate, false, 1);
      example.add_answer(rerank::build_answer(context, slate, {}, false, order), {false, true});
      examples.push_back(example.take());
    }
    const auto result = workers.backward(examples, [](const Tensor& logprob, const Example& part) {
      return weighed_loss(logprob, part, 100);
    });
    optimizer_step(model_, adam, 3e-3, result.loss, {step + 1, "test"});
  }
  EXPECT_EQ(valid(), 6);
}

TEST_F(SlatePolicy, EveryWeightIsLearnt) {
  disturb();
  const auto context = world_.context_with_text();
  std::vector<Example> examples;
  for (const auto& slate : slates_) {
    SlateExample example(context, slate, false, 9);
    const std::vector<int> order = {3, 1, 0, 2, 6, 5, 4};
    example.add_answer(rerank::build_answer(context, slate, {}, false, order));
    examples.push_back(example.take());
  }
  GradientWorkers workers(model_, frozen_of(context, model_->spec.vocab), 1);
  workers.backward(examples, [](const Tensor& logprob, const Example&) {
    return PartLoss{-logprob.sum(), {}};
  });
  const SlateWeights own = slate_weights(model_->spec, model_->learnt->parts);
  for (const Tensor& weight : {own.text, own.numbers, own.query, own.key, own.scale,
                               own.likeness_user, own.likeness_bias}) {
    ASSERT_TRUE(weight.grad().defined());
    EXPECT_GT(weight.grad().abs().max().item<double>(), 0);
  }
}

// What LibTorch 1.13 lacks on the meta device.
TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("index_select", [](const Tensor& x, int64_t dim, const Tensor& index) {
    TORCH_CHECK(index.is_meta(), "the index lies on the CPU");
    std::vector<int64_t> shape = x.sizes().vec();
    shape[size_t(dim)] = index.numel();
    return torch::empty(shape, x.options());
  });
  library.impl("logsumexp",
               [](const Tensor& x, at::IntArrayRef dims, bool keep) { return x.sum(dims, keep); });
  library.impl("logical_not.out", [](const Tensor& x, Tensor& out) -> Tensor& {
    out.resize_(x.sizes());
    return out;
  });
}

// The meta device holds no values, but like a GPU it refuses to meet tensors of the CPU. All that
// it cannot do is to give the result back.
TEST_F(SlatePolicy, IsComputedWhereItsWeightsLie) {
  const auto context = world_.context_with_text();
  const Frozen frozen = frozen_of(context, model_->spec.vocab, torch::kMeta);
  std::vector<Tensor> weights;
  for (const Tensor& weight : model_->weights) weights.push_back(weight.detach().to(torch::kMeta));
  const auto rollouts = answers({.with_trace = true, .max_trace = 9, .temperature = 1});
  SlateExample example(context, slates_[0], true, 9);
  example.add_answer(rollouts[0].tokens);
  Example one = example.take();
  one.packed.dropout = {0.1, 1};
  try {
    log_probs(model_->spec, weights, one, frozen);
    FAIL() << "the meta device has values";
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("Cannot copy out of meta tensor"), std::string::npos)
        << error.what();
  }
}

TEST_F(SlatePolicy, IsKeptInItsDirectory) {
  disturb();
  const fs::path dir = scratch_dir("slate_policy");
  save_policy(dir, *model_, world_.tokenizer());
  const Qwen3 again = load_policy(dir);
  EXPECT_EQ(again->spec.numbers, TestWorld::kNumbers);
  for (size_t i = 0; i < model_->weights.size(); ++i) {
    EXPECT_TRUE(torch::equal(model_->weights[i], again->weights[i])) << i;
  }
  const auto before = answers({.with_trace = false});
  const auto after = runtime::Engine::open(dir).decode(world_.context_with_text(), slates_,
                                                       {.with_trace = false}, 1);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].order, after[i].order);
  EXPECT_EQ(for_slates(again, TestWorld::kTextWidth, TestWorld::kNumbers, 1).get(), again.get());
  EXPECT_THROW(for_slates(again, TestWorld::kTextWidth, 4, 1), Error);
  EXPECT_THROW(engine_over(*again).decode(world_.context(), slates_, {}, 1), Error)
      << "prompts without the text that it reads";
}

// An item that is no part of the catalogue has its text in the slate; what was read of it is kept
// for nobody else.
TEST_F(SlatePolicy, AddedItemsAreReadAnew) {
  disturb();
  const runtime::Engine engine = engine_over(*model_);
  rerank::Slate slate = slates_[0];
  const auto fresh = rerank::ItemIndex(TestWorld::kItems);
  slate.candidates[6].item = fresh;
  slate.history[4] = fresh;
  const auto logprobs = [&](float first) {
    std::vector<float> text(TestWorld::kTextWidth, 0.5F);
    text[0] = first;
    slate.added = {{fresh, {1, 2, 3, 4}, text, "Fresh"}};
    return engine.decode(world_.context_with_text(), {&slate, 1}, {.with_trace = false}, 1)[0]
        .logprob;
  };
  const auto one = logprobs(-2), other = logprobs(3);
  EXPECT_NE(one, other);
  EXPECT_EQ(logprobs(-2), one);
}

}  // namespace
}  // namespace podium::train
