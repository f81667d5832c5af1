// The slow, obvious forward pass that the fast one is tested against: one sequence, no cache, plain
// loops in double precision.
#pragma once

#include <span>
#include <vector>

#include "podium/runtime/engine.h"

namespace podium::runtime {

// Logits of every position, [tokens, vocab].
std::vector<double> reference_logits(const rerank::ModelSpec& spec, const Weights& weights,
                                     std::span<const TokenId> tokens);

}  // namespace podium::runtime
