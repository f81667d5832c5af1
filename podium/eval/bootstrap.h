// Percentile bootstrap (Efron and Tibshirani 1993).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podium/base/rng.h"

namespace podium::eval {

struct Estimate {
  double value = 0, low = 0, high = 0;  // NaN where it has no meaning (AUC of a retriever)
};

// "+0.0123 [+0.0012, +0.0234]": of a difference.
std::string signed_interval(const Estimate& estimate);

// How often each unit is drawn in one resample, with replacement: [weight.size()], summing to it.
void resample(Rng rng, std::vector<uint32_t>& weight);

// value with the 95 % percentile interval of samples; NaN samples (empty resampled slices) aside.
Estimate estimate(double value, std::vector<double> samples);

}  // namespace podium::eval
