// One token from its logits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "podium/base/rng.h"

namespace podium::runtime {

struct Pick {
  size_t index;
  float logprob;  // at temperature 1
};

// Greedy at temperature 0 (the first of equals), else sampled by inverting the distribution
// function with one uniform number. scratch is overwritten.
Pick pick(std::span<const float> logits, double temperature, Rng& rng, std::vector<float>& scratch);

}  // namespace podium::runtime
