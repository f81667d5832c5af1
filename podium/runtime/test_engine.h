// An engine of a tiny model over the test world, for tests that decode.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "podium/rerank/test_world.h"
#include "podium/runtime/engine.h"
#include "podium/runtime/reference.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {

class EngineFixture : public testing::Test {
 protected:
  EngineFixture()
      : spec_(tiny_spec(world_.tokenizer().vocab())),
        weights_(spec_, 1),
        engine_(spec_, weights_.weights()) {}

  std::vector<rerank::Slate> slates(size_t n, int k) const {
    Rng rng(99);
    std::vector<rerank::Slate> result;
    for (size_t i = 0; i < n; ++i) result.push_back(world_.random_slate(rng, k));
    return result;
  }

  // Logits of every position of a prompt and an answer, [tokens, vocab], slowly.
  std::vector<double> logits(const rerank::Slate& slate, std::span<const TokenId> answer) const {
    const rerank::Prompt prompt = rerank::build_prompt(world_.context(), slate);
    auto tokens = prompt.tokens;
    tokens.insert(tokens.end(), answer.begin(), answer.end());
    return reference_logits(spec_, weights_.weights(), tokens, in_blocks(prompt, answer.size()));
  }

  rerank::TestWorld world_;
  rerank::ModelSpec spec_;
  TestWeights weights_;
  Engine engine_;
};

}  // namespace podium::runtime
