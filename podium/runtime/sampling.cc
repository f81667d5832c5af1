#include "podium/runtime/sampling.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"

namespace podium::runtime {
namespace {

constexpr double kGreedy = 1e-30;  // a temperature below which 1 / temperature is no float

}  // namespace

Partition partition(std::span<const float> logits) {
  const float top = kernels::max_of(logits.data(), logits.size());
  const double log_sum = std::log(kernels::sum_of_exp(logits.data(), logits.size(), top));
  if (!std::isfinite(top) || !std::isfinite(log_sum)) {  // a NaN that top misses is in the sum
    throw Error("the policy's logits are not finite numbers",
                "its weights are damaged or its training diverged: use another checkpoint");
  }
  return {top, log_sum};
}

Pick pick(std::span<const float> logits, double temperature, Rng& rng,
          std::vector<float>& scratch) {
  const auto [top, log_sum] = partition(logits);
  const auto logprob = [top = top, log_sum = log_sum](float value) {
    return float(double(value) - top - log_sum);
  };
  if (temperature <= kGreedy) {
    return {size_t(std::find(logits.begin(), logits.end(), top) - logits.begin()), logprob(top)};
  }
  const auto inverse = float(1 / temperature);
  scratch.clear();
  for (const float value : logits) scratch.push_back((value - top) * inverse);
  kernels::exp_and_sum(scratch.data(), scratch.size(), 0);
  double sum = 0;
  for (const float value : scratch) sum += value;
  double left = rng.uniform() * sum;
  size_t index = 0;
  while (index + 1 < scratch.size() && left >= scratch[index]) left -= scratch[index++];
  return {index, logprob(logits[index])};
}

}  // namespace podium::runtime
