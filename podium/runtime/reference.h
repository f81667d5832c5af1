// The slow, obvious forward pass that the fast one is tested against: one sequence, no cache, plain
// loops in double precision.
#pragma once

#include <span>
#include <vector>

#include "podium/rerank/model_spec.h"
#include "podium/runtime/types.h"

namespace podium::runtime {

// Where every token stands, which tokens (itself among them) it sees, and those whose embeddings
// are added to its own.
struct Sight {
  std::vector<size_t> position;
  std::vector<std::vector<size_t>> sees;
  std::vector<std::vector<TokenId>> added;
};
Sight causal(size_t tokens);
// Of a prompt in its blocks, with so many tokens of an answer after it.
Sight in_blocks(const rerank::Prompt& prompt, size_t answer);

// Logits of every position, [tokens, vocab].
std::vector<double> reference_logits(const rerank::ModelSpec& spec, const WeightMap& weights,
                                     std::span<const TokenId> tokens, const Sight& sight);

}  // namespace podium::runtime
