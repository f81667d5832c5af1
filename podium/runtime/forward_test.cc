#include "podium/runtime/forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/runtime/reference.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {
namespace {

rerank::ModelSpec tiny() {
  rerank::ModelSpec spec;
  spec.vocab = 50;
  spec.hidden = 24;
  spec.layers = 3;
  spec.heads = 6;
  spec.kv_heads = 2;
  spec.head_dim = 8;
  spec.ffn = 40;
  return spec;
}

std::vector<TokenId> random_tokens(size_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<TokenId> tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(TokenId(rng.below(50)));
  return tokens;
}

void expect_close(std::span<const float> a, std::span<const float> b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(double(b[i])))) << i;
  }
}

class ForwardTest : public testing::Test {
 protected:
  ForwardTest()
      : weights_(tiny(), 1),
        model_(tiny(), weights_.weights(), kernels::Precision::kFp32),
        pool_(tiny()) {}

  // Final states of every position, without any cache from before.
  std::vector<float> whole(std::span<const TokenId> tokens) {
    KvCache cache(pool_);
    Chunk chunk{tokens, &cache};
    const auto states = forward(model_, {&chunk, 1}, Rows::kAll, work_);
    return {states.begin(), states.end()};
  }
  std::vector<float> last(std::span<const TokenId> tokens) {
    const auto states = whole(tokens);
    return {states.end() - model_.spec.hidden, states.end()};
  }

  TestWeights weights_;
  Model model_;
  PagePool pool_;
  Workspace work_;
};

TEST_F(ForwardTest, AgreesWithTheSlowReference) {
  const Engine engine(tiny(), weights_.weights());
  for (size_t length : {1, 7, 150}) {  // 150: more than one causal block
    const auto tokens = random_tokens(length, length);
    const auto fast = engine.logits(tokens);
    const auto slow = reference_logits(tiny(), weights_.weights(), tokens, causal(tokens.size()));
    expect_close(fast, std::vector<float>(slow.begin(), slow.end()), 2e-5);
  }
}

void expect_the_references_logits(const rerank::ModelSpec& spec, size_t length) {
  const TestWeights weights(spec, 2);
  const auto tokens = random_tokens(length, 3);
  const auto slow = reference_logits(spec, weights.weights(), tokens, causal(tokens.size()));
  expect_close(Engine(spec, weights.weights()).logits(tokens),
               std::vector<float>(slow.begin(), slow.end()), 2e-5);
}

TEST_F(ForwardTest, WideHeadsSpanPanels) {
  auto spec = tiny();
  spec.head_dim = 40;
  expect_the_references_logits(spec, 45);
}

TEST_F(ForwardTest, LlamaHasNoNormsOfHeads) {
  auto spec = tiny();
  spec.head_norms = false;
  expect_the_references_logits(spec, 45);
}

TEST_F(ForwardTest, SmallerWeightsStayNearTheReference) {
  const auto tokens = random_tokens(60, 9);
  const auto slow = reference_logits(tiny(), weights_.weights(), tokens, causal(tokens.size()));
  double size = 0;
  for (const double value : slow) size += value * value;
  const std::pair<kernels::Precision, double> cases[] = {{kernels::Precision::kBf16, 0.02},
                                                         {kernels::Precision::kInt8, 0.05}};
  for (const auto& [precision, allowed] : cases) {
    const Engine engine(tiny(), weights_.weights(), {.precision = precision});
    const auto fast = engine.logits(tokens);
    double error = 0;
    for (size_t i = 0; i < fast.size(); ++i) error += (fast[i] - slow[i]) * (fast[i] - slow[i]);
    EXPECT_LT(std::sqrt(error / size), allowed) << kernels::precision_name(precision);
  }
}

TEST_F(ForwardTest, UntiedHeadsAreUsed) {
  auto spec = tiny();
  spec.tied = false;
  expect_the_references_logits(spec, 5);
}

TEST_F(ForwardTest, CachedChunksAgreeWithOneGo) {
  const auto tokens = random_tokens(90, 4);
  const auto expected = last(tokens);
  for (const std::vector<size_t>& cuts :
       {std::vector<size_t>{90}, {89, 1}, {1, 88, 1}, {30, 30, 30}, {70, 5, 1, 1, 13}}) {
    KvCache cache(pool_);
    std::span<const TokenId> rest = tokens;
    std::vector<float> states;
    for (size_t cut : cuts) {
      Chunk chunk{rest.first(cut), &cache};
      const auto out = forward(model_, {&chunk, 1}, Rows::kLast, work_);
      states.assign(out.begin(), out.end());
      rest = rest.subspan(cut);
    }
    EXPECT_EQ(cache.length(), 90u);
    expect_close(states, expected, 1e-5);
  }
}

TEST_F(ForwardTest, ForksShareAPrefixAndABatchIsItsParts) {
  // Lengths around a page: forks share whole pages, and a part of one that each must copy.
  for (const size_t length : {33, 64, 70, 12}) {
    const auto prefix_a = random_tokens(length, 5), prefix_b = random_tokens(length + 9, 6);
    KvCache a(pool_), b(pool_);
    std::vector<Chunk> prefill = {{prefix_a, &a}, {prefix_b, &b}};
    forward(model_, prefill, Rows::kLast, work_);
    std::vector<std::vector<TokenId>> tails;
    for (size_t i = 0; i < 5; ++i) tails.push_back(random_tokens(40, 20 + i));
    std::vector<KvCache> forks = {a, a, a, b, b};
    std::vector<float> states;
    // Two steps of ragged chunks.
    const size_t cut[] = {1, 4, 37, 2, 3};
    for (int step = 0; step < 2; ++step) {
      std::vector<Chunk> chunks;
      for (size_t i = 0; i < 5; ++i) {
        const auto tail = std::span<const TokenId>(tails[i]);
        chunks.push_back({step == 0 ? tail.first(cut[i]) : tail.subspan(cut[i]), &forks[i]});
      }
      const auto out = forward(model_, chunks, Rows::kLast, work_);
      states.assign(out.begin(), out.end());
    }
    EXPECT_EQ(a.length(), length);  // untouched by its forks
    for (size_t i = 0; i < 5; ++i) {
      std::vector<TokenId> all = i < 3 ? prefix_a : prefix_b;
      all.insert(all.end(), tails[i].begin(), tails[i].end());
      expect_close(std::span(states).subspan(i * 24, 24), last(all), 1e-5);
    }
    const auto more = random_tokens(5, 77);
    Chunk chunk{more, &a};
    const auto out = forward(model_, {&chunk, 1}, Rows::kLast, work_);
    const std::vector<float> after(out.begin(), out.end());
    auto all = prefix_a;
    all.insert(all.end(), more.begin(), more.end());
    expect_close(after, last(all), 1e-5);
  }
}

TEST_F(ForwardTest, PagesGoBackToThePool) {
  {
    KvCache cache(pool_);
    const auto tokens = random_tokens(70, 8);
    Chunk chunk{tokens, &cache};
    forward(model_, {&chunk, 1}, Rows::kLast, work_);
    EXPECT_EQ(pool_.pages_in_use(), 3u);
    const KvCache fork = cache;
    EXPECT_EQ(pool_.pages_in_use(), 3u);
  }
  EXPECT_EQ(pool_.pages_in_use(), 0u);
}

TEST_F(ForwardTest, PositionsMatter) {
  const auto tokens = random_tokens(6, 7);
  auto swapped = tokens;
  std::swap(swapped[0], swapped[3]);
  const auto one = last(tokens), two = last(swapped);
  double difference = 0;
  for (size_t i = 0; i < one.size(); ++i) difference += std::abs(one[i] - two[i]);
  EXPECT_GT(difference, 1e-2);
}

TEST_F(ForwardTest, MissingOrMisshapenTensorsAreNamed) {
  for (bool missing : {true, false}) {
    auto broken = weights_.weights();
    auto& tensor = broken["model.layers.1.self_attn.k_proj.weight"];
    tensor = tensor.first(tensor.size() - 1);
    if (missing) broken.erase("model.layers.1.self_attn.k_proj.weight");
    try {
      Model(tiny(), broken, kernels::Precision::kFp32);
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("layers.1.self_attn.k_proj"), std::string::npos);
    }
  }
}

// Two levels of 70 branches (more than a block of queries) after a trunk, beside a sequence of
// their own for each.
TEST_F(ForwardTest, BranchesSeeTheTrunkAndTheirAncestors) {
  constexpr size_t kTrunk = 45, kBranches = 70;
  const auto trunk = random_tokens(kTrunk, 1);
  const auto codes = random_tokens(2 * kBranches, 2);
  KvCache cache(pool_);
  Chunk whole_trunk{trunk, &cache};
  forward(model_, {&whole_trunk, 1}, Rows::kLast, work_);
  Rng rng(5);
  std::vector<uint32_t> parents;
  for (size_t depth = 0; depth < 2; ++depth) {
    Branches branches{std::vector<int>(kBranches, int(kTrunk + depth)),
                      std::vector<uint32_t>(kBranches, kTrunk),
                      depth,
                      {},
                      0,
                      {}};
    for (size_t i = 0; depth > 0 && i < kBranches; ++i) {
      parents.push_back(uint32_t(rng.below(kBranches)));
      const auto place = uint32_t(kTrunk) + parents.back();
      branches.runs.push_back({place, place + 1});
    }
    Chunk chunk{std::span(codes).subspan(depth * kBranches, kBranches), &cache, &branches};
    const auto states = forward(model_, {&chunk, 1}, Rows::kAll, work_);
    const std::vector<float> got(states.begin(), states.end());
    for (size_t i = 0; i < kBranches; ++i) {
      auto tokens = trunk;
      if (depth > 0) tokens.push_back(codes[parents[i]]);
      tokens.push_back(codes[depth * kBranches + i]);
      const size_t hidden = size_t(model_.spec.hidden);
      expect_close(std::span(got).subspan(i * hidden, hidden), last(tokens), 2e-5);
    }
  }
}

}  // namespace
}  // namespace podium::runtime
