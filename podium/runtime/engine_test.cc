#include "podium/runtime/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/rerank/reward.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/test_engine.h"

namespace podium::runtime {
namespace {

using rerank::Slate;
using rerank::TestWorld;
using rerank::TokenKind;

class EngineTest : public EngineFixture {
 protected:
  // The log-probabilities of a rollout, teacher-forced without any cache, under the mask that the
  // grammar replays.
  std::vector<double> replay(const Slate& slate, const Rollout& rollout,
                             const DecodeOptions& options) const {
    const auto all = logits(slate, rollout.tokens);
    const size_t begin = all.size() / size_t(spec_.vocab) - rollout.tokens.size();
    const auto mask = rerank::trace_mask(world_.tokenizer(), world_.vocabulary());
    rerank::PermutationGrammar grammar(world_.vocabulary(), slate.candidates.size(),
                                       options.with_trace, options.max_trace);
    std::vector<double> result;
    for (size_t i = 0; i < rollout.tokens.size(); ++i) {
      if (i == 0) {  // which kind of answer is given
        result.push_back(0);
        if (options.constrained) grammar.accept(rollout.tokens[0]);
        continue;
      }
      const double* row = all.data() + (begin + i - 1) * spec_.vocab;
      double sum = 0;
      for (TokenId t = 0; t < spec_.vocab; ++t) {
        const auto allowed = grammar.allowed();
        if (t >= world_.vocabulary().candidate(slate.candidates.size()) &&
            t < world_.vocabulary().candidate(rerank::kMaxCandidates)) {
          continue;  // the name of none of them
        }
        const bool ok =
            !options.constrained || (grammar.kind() == TokenKind::kTrace
                                         ? mask[t] != 0
                                         : std::binary_search(allowed.begin(), allowed.end(), t));
        if (ok) sum += std::exp(double(row[t]));
      }
      result.push_back(row[rollout.tokens[i]] - std::log(sum));
      if (options.constrained) {
        EXPECT_EQ(grammar.kind(), rollout.kind[i]);
        grammar.accept(rollout.tokens[i]);
      }
    }
    return result;
  }
};

TEST_F(EngineTest, ConstrainedAnswersAreAlwaysPermutations) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const TestWeights weights(spec_, seed, 3.0);  // peaked, arbitrary distributions
    const Engine engine(spec_, weights.weights());
    for (int k : {1, 2, 5, 17}) {
      DecodeOptions options;
      options.with_trace = seed % 2 == 0;
      options.max_trace = 12;
      options.temperature = seed < 3 ? 0 : 1.5;
      options.samples = 3;
      const auto batch = slates(4, k);
      const auto rollouts = engine.decode(world_.context(), batch, options, 2);
      ASSERT_EQ(rollouts.size(), 12u);
      for (size_t i = 0; i < rollouts.size(); ++i) {
        ASSERT_TRUE(rerank::is_permutation_of(rollouts[i].order, size_t(k)));
        const auto parsed =
            rerank::parse_answer(world_.context(), batch[i / 3], rollouts[i].tokens);
        EXPECT_EQ(parsed.order, rollouts[i].order);
        EXPECT_EQ(rollouts[i].tokens.back(), world_.vocabulary().im_end);
      }
    }
  }
}

TEST_F(EngineTest, LogProbabilitiesAreThoseOfTheUncachedModel) {
  const auto batch = slates(5, 8);
  for (bool constrained : {true, false}) {
    for (bool with_trace : {true, false}) {
      for (double temperature : {0.0, 1.0, 0.7}) {
        DecodeOptions options;
        options.with_trace = with_trace;
        options.constrained = constrained;
        options.max_trace = 20;
        options.max_tokens = 30;
        options.temperature = temperature;
        options.samples = 3;
        const auto rollouts = engine_.decode(world_.context(), batch, options, 1);
        for (size_t i = 0; i < rollouts.size(); ++i) {
          const auto expected = replay(batch[i / 3], rollouts[i], options);
          for (size_t t = 0; t < expected.size(); ++t) {
            ASSERT_NEAR(rollouts[i].logprob[t], expected[t], 1e-4) << t;
          }
        }
      }
    }
  }
}

TEST_F(EngineTest, NeitherThreadsNorBatchingChangeARollout) {
  const auto batch = slates(9, 6);
  DecodeOptions options;
  options.temperature = 1;
  options.samples = 8;
  options.max_trace = 10;
  options.seed = 5;
  const auto one = engine_.decode(world_.context(), batch, options, 1);
  const auto four = engine_.decode(world_.context(), batch, options, 4);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].tokens, four[i].tokens);
    EXPECT_EQ(one[i].logprob, four[i].logprob);  // to the bit
  }
  for (size_t i : {size_t(0), size_t(7)}) {
    const auto single =
        engine_.decode(world_.context(), std::span(batch).subspan(i, 1), options, 1);
    for (size_t s = 0; s < 8; ++s) EXPECT_EQ(single[s].tokens, one[i * 8 + s].tokens);
  }
  options.seed = 6;
  EXPECT_NE(engine_.decode(world_.context(), batch, options, 1)[0].tokens, one[0].tokens);
}

TEST_F(EngineTest, GreedyTakesTheLikeliestToken) {
  const auto batch = slates(3, 5);
  DecodeOptions options;
  options.max_trace = 6;
  options.samples = 2;
  const auto rollouts = engine_.decode(world_.context(), batch, options, 1);
  for (size_t i = 0; i < 6; i += 2) EXPECT_EQ(rollouts[i].tokens, rollouts[i + 1].tokens);
  options.temperature = 1e-4;
  const auto cold = engine_.decode(world_.context(), batch, options, 1);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(rollouts[i].tokens, cold[i].tokens);
}

TEST_F(EngineTest, SamplesFollowTheirProbabilities) {
  const auto batch = slates(1, 3);
  DecodeOptions options;
  options.with_trace = false;
  options.temperature = 1;
  options.samples = 3000;
  std::map<std::vector<TokenId>, std::pair<int, double>> seen;
  for (const auto& rollout : engine_.decode(world_.context(), batch, options, 1)) {
    auto& [count, logprob] = seen[rollout.tokens];
    ++count;
    logprob = 0;
    for (float value : rollout.logprob) logprob += value;
  }
  double total = 0;
  for (const auto& [tokens, entry] : seen) {
    const double p = std::exp(entry.second);
    total += p;
    EXPECT_NEAR(entry.first / 3000.0, p, 4 * std::sqrt(p * (1 - p) / 3000) + 1e-3);
  }
  EXPECT_NEAR(total, 1, 0.02);
}

TEST_F(EngineTest, UnconstrainedRandomWeightsAreInvalidAndBounded) {
  const auto batch = slates(4, 5);
  DecodeOptions options;
  options.constrained = false;
  options.temperature = 1;
  options.max_tokens = 15;
  for (const auto& rollout : engine_.decode(world_.context(), batch, options, 2)) {
    EXPECT_TRUE(rollout.order.empty());
    EXPECT_LE(rollout.tokens.size(), 15u);
  }
}

TEST_F(EngineTest, TooLongASlateIsRefused) {
  auto spec = spec_;
  spec.max_positions = 120;
  const Engine engine(spec, weights_.weights());
  const auto batch = slates(1, 10);
  EXPECT_THROW(engine.decode(world_.context(), batch, {}, 2), Error);
  spec.vocab -= 1;
  const TestWeights fewer(spec, 1);
  EXPECT_THROW(Engine(spec, fewer.weights()).decode(world_.context(), batch, {}, 1), Error);
}

TEST_F(EngineTest, VerbalizedOrdersFollowTheFirstNamesLogits) {
  for (const bool with_trace : {false, true}) {
    const DecodeOptions options{.with_trace = with_trace, .max_trace = 8, .verbalize = true};
    const auto batch = slates(5, 6);
    const auto rollouts = engine_.decode(world_.context(), batch, options, 1);
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto all = logits(batch[i], rollouts[i].tokens);
      const double* row = all.data() + all.size() - spec_.vocab;
      ASSERT_EQ(rollouts[i].order.size(), 6u);
      for (size_t r = 0; r + 1 < 6; ++r) {
        EXPECT_GE(row[world_.vocabulary().candidate(rollouts[i].order[r])],
                  row[world_.vocabulary().candidate(rollouts[i].order[r + 1])] - 1e-5);
      }
      std::vector<int> sorted = rollouts[i].order;
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, (std::vector<int>{0, 1, 2, 3, 4, 5}));
    }
  }
}

TEST_F(EngineTest, RememberedPrefixesChangeNoAnswer) {
  const Engine cached(spec_, weights_.weights(),
                      {.prefix_bytes = 64 << 20, .item_bytes = 64 << 20});
  const auto batch = slates(6, 5);
  for (const bool with_trace : {false, true}) {
    const DecodeOptions options{.with_trace = with_trace, .max_trace = 12, .temperature = 1};
    const auto expected = engine_.decode(world_.context(), batch, options, 1);
    for (int run = 0; run < 3; ++run) {
      const auto got = cached.decode(world_.context(), batch, options, 1 + run % 2);
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].order, expected[i].order);
        ASSERT_EQ(got[i].tokens, expected[i].tokens);
        for (size_t t = 0; t < got[i].logprob.size(); ++t) {
          EXPECT_NEAR(got[i].logprob[t], expected[i].logprob[t], 1e-5);
        }
      }
    }
  }
  const CacheStats stats = cached.prefix_stats();
  EXPECT_GT(stats.hit_rate(), 0.6);
  EXPECT_GT(cached.item_stats().hit_rate(), 0.6);
  EXPECT_EQ(engine_.prefix_stats().bytes, 0u);
  EXPECT_EQ(engine_.item_stats().bytes, 0u);
}

// Whatever the beginning that two histories share, be it half an item's semantic ID, and whoever
// read the items before.
TEST_F(EngineTest, KnownItemsServeNewUsers) {
  const Engine cached(spec_, weights_.weights(),
                      {.prefix_bytes = 64 << 20, .item_bytes = 64 << 20});
  const DecodeOptions options{.with_trace = false};
  Slate slate = slates(1, 5)[0];
  const auto expect_same_answer = [&] {
    const Rollout expected = engine_.decode(world_.context(), {&slate, 1}, options, 1).at(0);
    const Rollout got = cached.decode(world_.context(), {&slate, 1}, options, 1).at(0);
    EXPECT_EQ(got.order, expected.order);
    for (size_t t = 0; t < got.logprob.size(); ++t) {
      EXPECT_NEAR(got.logprob[t], expected.logprob[t], 1e-5);
    }
  };
  for (rerank::ItemIndex last = 0; last < world_.kItems; ++last) {
    slate.history.back() = last;
    expect_same_answer();
  }
  const CacheStats before = cached.item_stats();
  std::reverse(slate.history.begin(), slate.history.end());
  std::reverse(slate.candidates.begin(), slate.candidates.end());
  expect_same_answer();
  const CacheStats after = cached.item_stats();
  EXPECT_EQ(after.asked - before.asked, after.found - before.found);
  EXPECT_GE(after.asked - before.asked, (5 + slate.history.size()) * 3);
}

class EngineFiles : public EngineTest {
 protected:
  EngineFiles() : dir_(scratch_dir("engine")) {
    write_json_atomic(dir_ / "config.json", rerank::to_config_json(spec_));
  }

  void write(artifact::Dtype dtype, bool transpose = false) {
    artifact::SafetensorsWriter writer;
    std::map<std::string, std::vector<uint16_t>> halves;
    for (const auto& tensor : rerank::tensor_table(spec_)) {
      auto shape = tensor.shape;
      if (transpose) std::reverse(shape.begin(), shape.end());
      const auto& values = weights_.data.at(tensor.name);
      if (dtype == artifact::Dtype::kF32) {
        writer.add_raw(tensor.name, dtype, shape, std::as_bytes(std::span(values)));
        continue;
      }
      auto& half = halves[tensor.name];
      for (float value : values) half.push_back(uint16_t(std::bit_cast<uint32_t>(value) >> 16));
      writer.add_raw(tensor.name, dtype, shape, std::as_bytes(std::span(half)));
    }
    writer.write(dir_ / "model.safetensors");
  }

  fs::path dir_;
};

TEST_F(EngineFiles, OpensWhatWasWritten) {
  write(artifact::Dtype::kF32);
  const std::vector<TokenId> tokens = {1, 2, 3};
  EXPECT_EQ(Engine::open(dir_).logits(tokens), engine_.logits(tokens));
}

TEST_F(EngineFiles, Bf16IsTheUpperHalf) {
  write(artifact::Dtype::kBF16);
  for (auto& [name, values] : weights_.data) {
    for (float& value : values) {
      value = std::bit_cast<float>(std::bit_cast<uint32_t>(value) & 0xffff0000u);
    }
  }
  const std::vector<TokenId> tokens = {1, 2, 3};
  EXPECT_EQ(Engine::open(dir_).logits(tokens), Engine(spec_, weights_.weights()).logits(tokens));
}

TEST_F(EngineFiles, F16ByHand) {
  rerank::ModelSpec spec = spec_;
  spec.vocab = 2;
  spec.hidden = 2;
  write_json_atomic(dir_ / "config.json", rerank::to_config_json(spec));
  artifact::SafetensorsWriter writer;
  std::map<std::string, std::vector<uint16_t>> halves;
  for (const auto& tensor : rerank::tensor_table(spec)) {
    auto& half = halves[tensor.name];
    half.assign(size_t(tensor.elements()),
                tensor.shape.size() == 1 ? 0x3c00 : 0);  // norms 1, matrices 0
    // Rows (1, -2) and (0.5, 2^-24): normal, negative and subnormal numbers.
    if (tensor.name == "model.embed_tokens.weight") half = {0x3c00, 0xc000, 0x3800, 0x0001};
    writer.add_raw(tensor.name, artifact::Dtype::kF16, tensor.shape,
                   std::as_bytes(std::span(half)));
  }
  writer.write(dir_ / "model.safetensors");
  const auto logits = Engine::open(dir_).logits(std::vector<TokenId>{0});
  const double norm = std::sqrt(2.5 + spec.norm_eps);  // of the row (1, -2)
  EXPECT_NEAR(logits[0], 5 / norm, 1e-6);
  EXPECT_NEAR(logits[1], (0.5 - 2 * 0x1.0p-24) / norm, 1e-6);
}

TEST_F(EngineFiles, WrongShapesAndTypesAreRefused) {
  write(artifact::Dtype::kF32, true);
  EXPECT_THROW(Engine::open(dir_), Error);
  write(artifact::Dtype::kI16);
  EXPECT_THROW(Engine::open(dir_), Error);
  fs::remove(dir_ / "config.json");
  EXPECT_THROW(Engine::open(dir_), Error);
}

}  // namespace
}  // namespace podium::runtime
