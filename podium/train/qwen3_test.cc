#include "podium/train/qwen3.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/reference.h"
#include "podium/runtime/test_weights.h"
#include "podium/train/gradient.h"
#include "podium/train/slate_example.h"

namespace podium::train {
namespace {

using runtime::tiny_spec;
using torch::Tensor;

// Without norms of heads, with a head of its own and scaled positions.
rerank::ModelSpec tiny_llama(int vocab) {
  rerank::ModelSpec spec = tiny_spec(vocab);
  spec.head_norms = spec.tied = false;
  spec.rope.scaling = {
      .kind = rerank::RopeScaling::Kind::kLlama3, .factor = 8, .original_positions = 16};
  return spec;
}

// Far from the tiny initial weights, so that every term of the model matters.
Qwen3 tiny_model(const rerank::ModelSpec& spec, uint64_t seed = 3) {
  Qwen3 model(spec, seed);
  torch::NoGradGuard no_grad;
  torch::manual_seed(int64_t(seed));
  for (Tensor& weight : model->weights) weight.add_(torch::randn_like(weight) * 0.2);
  return model;
}
Qwen3 tiny_model(int vocab) { return tiny_model(tiny_spec(vocab)); }

std::vector<TokenId> random_tokens(size_t n, int vocab, uint64_t seed) {
  Rng rng(seed);
  std::vector<TokenId> tokens(n);
  for (TokenId& token : tokens) token = TokenId(rng.below(uint64_t(vocab)));
  return tokens;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// The slow path: attention of each segment by LibTorch's own operations.
Tensor attention_reference(const Tensor& q, const Tensor& k, const Tensor& v,
                           const std::vector<Segment>& segments) {
  std::vector<Tensor> outs;
  const int64_t group = q.size(1) / k.size(1);
  for (const Segment& s : segments) {
    const auto rows = [](const Tensor& x, const Range& r) { return x.slice(0, r.begin, r.end); };
    const auto context = [&](const Tensor& x) {
      return torch::cat({rows(x, s.before[0]), rows(x, s.before[1]), rows(x, s.own)})
          .repeat_interleave(group, 1)
          .transpose(0, 1);
    };
    const int64_t own = s.own.size(), before = s.before[0].size() + s.before[1].size();
    const Tensor hidden =
        torch::ones({own, before + own}, torch::kBool).triu(before + 1).unsqueeze(0);
    const Tensor scores = torch::bmm(rows(q, s.own).transpose(0, 1), context(k).transpose(1, 2)) /
                          std::sqrt(double(q.size(2)));
    const Tensor weights = scores.masked_fill(hidden, -1e30).softmax(-1);
    outs.push_back(torch::bmm(weights, context(v)).transpose(0, 1));
  }
  return torch::cat(outs);
}

TEST(TorchOps, AttentionAndItsGradientsEqualTheReference) {
  torch::manual_seed(1);
  const std::vector<Segment> segments = {
      {{0, 5}}, {{5, 8}, {{{0, 5}}}}, {{8, 12}, {{{0, 5}, {6, 8}}}}, {{12, 13}}};
  const auto leaf = [](int64_t heads) { return torch::randn({13, heads, 8}).requires_grad_(); };
  const Tensor q = leaf(4), k = leaf(2), v = leaf(2), along = torch::randn({13, 4, 8});
  const Tensor fast = packed_attention(q, k, v, segments);
  const Tensor slow = attention_reference(q, k, v, segments);
  EXPECT_LT(largest_difference(fast, slow), 1e-5);
  const auto fast_grads = torch::autograd::grad({(fast * along).sum()}, {q, k, v});
  const auto slow_grads = torch::autograd::grad({(slow * along).sum()}, {q, k, v});
  const Tensor composed = composed_attention(q, k, v, segments);
  EXPECT_LT(largest_difference(fast, composed), 1e-5);
  const auto composed_grads = torch::autograd::grad({(composed * along).sum()}, {q, k, v});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_LT(largest_difference(fast_grads[i], slow_grads[i]), 1e-4) << i;
    EXPECT_LT(largest_difference(fast_grads[i], composed_grads[i]), 1e-4) << i;
  }
}

TEST(TorchOps, NormAndRotationHaveTheGradientsOfTheirFormulas) {
  torch::manual_seed(2);
  const Tensor x = torch::randn({6, 8}).requires_grad_(), w = torch::rand({8}).requires_grad_();
  const Tensor along = torch::randn({6, 8});
  const Tensor slow = x / (x.square().mean(-1, true) + 1e-6).sqrt() * w;
  const Tensor fast = rms_norm(x, w, 1e-6);
  EXPECT_LT(largest_difference(fast, slow), 1e-5);
  const auto a = torch::autograd::grad({(fast * along).sum()}, {x, w});
  const auto b = torch::autograd::grad({(slow * along).sum()}, {x, w});
  EXPECT_LT(largest_difference(a[0], b[0]), 1e-5);
  EXPECT_LT(largest_difference(a[1], b[1]), 1e-5);

  const Tensor angle = torch::randn({3, 4}), c = angle.cos(), s = angle.sin();
  const Tensor y = x.view({3, 2, 8}), turned = composed_rotate(y, c, s);
  const Tensor quick = rotate(y, c, s), weight = torch::randn({3, 2, 8});
  EXPECT_LT(largest_difference(quick, turned), 1e-6);
  EXPECT_LT(largest_difference(torch::autograd::grad({(quick * weight).sum()}, {x})[0],
                               torch::autograd::grad({(turned * weight).sum()}, {x})[0]),
            1e-5);
}

// Of every position, [tokens, vocab].
Tensor logits_of(const Qwen3& model, const std::vector<TokenId>& tokens) {
  const torch::NoGradGuard no_grad;
  Packed batch;
  for (const TokenId token : tokens) {
    batch.positions.push_back(int64_t(batch.tokens.size()));
    batch.tokens.push_back(token);
  }
  batch.segments = {{{0, int64_t(tokens.size())}}};
  return torch::mm(states_of(model->spec, model->weights, batch).last,
                   output_embedding(model->spec, model->weights).t());
}

TEST(Qwen3, LogitsEqualTheEnginesAndTheReferences) {
  for (const auto& spec : {tiny_spec(50), tiny_llama(50)}) {
    const Qwen3 model = tiny_model(spec);
    const auto tokens = random_tokens(23, 50, 4);
    const Tensor ours = logits_of(model, tokens);
    auto theirs = engine_over(*model).logits(tokens);
    EXPECT_LT(largest_difference(ours, torch::from_blob(theirs.data(), {23, 50})), 1e-4);
    runtime::WeightMap weights;
    for (const auto& weight : model->named_parameters()) {
      weights[weight.key()] = {weight.value().data_ptr<float>(), size_t(weight.value().numel())};
    }
    auto slow = runtime::reference_logits(spec, weights, tokens, runtime::causal(23));
    EXPECT_LT(largest_difference(ours, torch::from_blob(slow.data(), {23, 50}, torch::kDouble)),
              1e-4);
  }
}

// Weights by a formula: tensor_table's t-th tensor has u(t, i) - 1/2 at i, norms u(t, i) + 1/2, of
// u the upper 24 bits of splitmix64's mix of 2^32 t + i, over 2^24.
Qwen3 formula_model(const rerank::ModelSpec& spec) {
  Qwen3 model(spec, 0);
  const torch::NoGradGuard no_grad;
  for (size_t t = 0; t < model->weights.size(); ++t) {
    Tensor& weight = model->weights[t];
    for (int64_t i = 0; i < weight.numel(); ++i) {
      uint64_t x = (uint64_t(t) << 32) + uint64_t(i) + 0x9E3779B97F4A7C15;
      x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
      x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
      x ^= x >> 31;
      const float u = float(x >> 40) / float(1 << 24);
      weight.data_ptr<float>()[i] = u + (weight.dim() == 1 ? 0.5F : -0.5F);
    }
  }
  return model;
}

// Of the last of these tokens, as Transformers 5.24 computes them in fp32.
TEST(Qwen3, LogitsEqualThoseOfTransformers) {
  const std::vector<TokenId> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3,
                                       2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5};
  const std::pair<rerank::ModelSpec, std::vector<float>> recorded[] = {
      {tiny_spec(10),
       {2.623523F, -0.115915F, 1.459427F, -0.849662F, 2.494076F, -0.475082F, 0.213871F, 1.710750F,
        3.837793F, -0.369626F}},
      {tiny_llama(10),
       {0.114166F, 1.525875F, 1.536651F, -0.196359F, -2.060081F, 2.524240F, 3.593822F, 3.407393F,
        1.612297F, 2.010462F}}};
  for (const auto& [spec, wanted] : recorded) {
    const Tensor last = logits_of(formula_model(spec), tokens)[-1];
    EXPECT_LT(largest_difference(last, torch::tensor(wanted)), 1e-4);
  }
}

TEST(Qwen3, DirectoryKeepsTheModel) {
  const rerank::TestWorld world;
  const fs::path dir = scratch_dir("policy");
  const Qwen3 model = tiny_model(tiny_llama(world.tokenizer().vocab()));
  save_policy(dir, *model, world.tokenizer());
  const Qwen3 again = load_policy(dir);
  for (size_t i = 0; i < model->weights.size(); ++i) {
    EXPECT_TRUE(torch::equal(model->weights[i], again->weights[i])) << i;
  }
  const auto tokens = random_tokens(9, model->spec.vocab, 5);
  EXPECT_EQ(runtime::Engine::open(dir).logits(tokens), engine_over(*model).logits(tokens));
  EXPECT_EQ(text::Tokenizer::load(dir / "tokenizer.json").vocab(), model->spec.vocab);
}

TEST(PolicyBatch, AnswersBesideOneAnotherScoreAsOnTheirOwn) {
  const rerank::TestWorld world;
  const auto context = world.context();
  Rng rng(6);
  const rerank::Slate slate = world.random_slate(rng, 5);
  const Qwen3 model = tiny_model(world.tokenizer().vocab());
  const Frozen mask = frozen_of(context, model->spec.vocab);
  runtime::DecodeOptions decode{.with_trace = true, .max_trace = 9, .temperature = 1, .samples = 4};
  const auto rollouts = engine_over(*model).decode(context, {&slate, 1}, decode, 1);
  SlateExample together(context, slate, true, 9);
  std::vector<Tensor> alone;
  std::vector<float> sampled;
  torch::NoGradGuard no_grad;
  for (const auto& rollout : rollouts) {
    together.add_answer(rollout.tokens);
    SlateExample single(context, slate, true, 9);
    single.add_answer(rollout.tokens);
    alone.push_back(log_probs(model->spec, model->weights, single.take(), mask));
    for (size_t t = 0; t < rollout.tokens.size(); ++t) {
      if (rollout.kind[t] != rerank::TokenKind::kForced) sampled.push_back(rollout.logprob[t]);
    }
  }
  const Tensor packed = log_probs(model->spec, model->weights, together.take(), mask);
  EXPECT_LT(largest_difference(packed, torch::cat(alone)), 1e-4);
  // The first update of RL starts at a ratio of 1: trainer and engine agree.
  EXPECT_LT(largest_difference(packed, torch::tensor(sampled)), 1e-3);
}

TEST(GradientWorkers, SameBitsOnOneThreadAndOnThreeAndEqualToOneBatch) {
  std::vector<Example> examples;
  for (uint64_t i = 0; i < 9; ++i) {
    examples.push_back(document_example(random_tokens(5 + i, 50, 10 + i)));
  }
  const auto loss = [](const Tensor& logprob, const Example&) {
    return PartLoss{-logprob.sum(), {double(logprob.size(0))}};
  };
  const Frozen mask{torch::ones({50}, torch::kBool), {}};
  Qwen3 model = tiny_model(50);
  std::vector<std::vector<Tensor>> grads;
  for (int threads : {1, 3}) {
    GradientWorkers workers(model, mask, threads, {}, 16);
    const auto result = workers.backward(examples, loss);
    EXPECT_EQ(result.statistics.at(0), 4 * 9 + 36);
    grads.emplace_back();
    for (const Tensor& part : model->learnt->parts) grads.back().push_back(part.grad().clone());
  }
  const Tensor whole = -log_probs(model->spec, model->weights, concatenate(examples), mask).sum();
  const auto direct = torch::autograd::grad({whole}, model->weights);
  for (size_t i = 0; i < direct.size(); ++i) {
    EXPECT_TRUE(torch::equal(grads[0][i], grads[1][i])) << i;
    EXPECT_LT(largest_difference(grads[0][i], direct[i]),
              1e-4 * (1 + direct[i].abs().max().item<double>()))
        << i;
  }
}

}  // namespace
}  // namespace podium::train
