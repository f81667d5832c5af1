// One token from its logits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "podium/base/rng.h"

namespace podium::runtime {

// What makes probabilities of logits: log P(i) = logits[i] - top - log_sum.
struct Partition {
  float top;       // the largest
  double log_sum;  // of exp(logit - top)
};
// Throws Error when one of the logits is NaN or +infinity, or all are -infinity.
Partition partition(std::span<const float> logits);

struct Pick {
  size_t index;
  float logprob;  // at temperature 1
};

// Greedy at temperature 0 (the first of equals), else sampled by inverting the distribution
// function with one uniform number. scratch is overwritten. Throws Error as partition().
Pick pick(std::span<const float> logits, double temperature, Rng& rng, std::vector<float>& scratch);

}  // namespace podium::runtime
