#include "podium/eval/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace podium::eval {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * double(sorted.size() - 1);
  const size_t below = size_t(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - double(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::string signed_interval(const Estimate& e) {
  return fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]", e.value, e.low, e.high);
}

void resample(Rng rng, std::vector<uint32_t>& weight) {
  std::fill(weight.begin(), weight.end(), 0);
  for (size_t i = 0; i < weight.size(); ++i) ++weight[rng.below(weight.size())];
}

Estimate estimate(double value, std::vector<double> samples) {
  if (std::isnan(value)) return {value, value, value};
  std::erase_if(samples, [](double x) { return std::isnan(x); });
  if (samples.empty()) return {value, value, value};
  std::sort(samples.begin(), samples.end());
  return {value, quantile(samples, 0.025), quantile(samples, 0.975)};
}

}  // namespace podium::eval
