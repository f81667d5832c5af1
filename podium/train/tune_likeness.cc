#include "podium/train/tune_likeness.h"

#include <fmt/format.h>

#include <vector>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr double kFirstStep = 4, kLastStep = 0.125;
constexpr int kMostRounds = 8;  // of steps of one size

std::vector<float> values_of(const std::vector<Tensor>& numbers) {
  std::vector<float> values;
  for (const Tensor& number : numbers) values.push_back(number.item<float>());
  return values;
}

}  // namespace

Json tune_likeness(const Qwen3Impl& model, const std::function<double()>& value) {
  const torch::NoGradGuard no_grad;
  const SlateWeights own = slate_weights(model.spec, model.weights);
  PODIUM_CHECK(own.scale.defined());
  std::vector<Tensor> weights;  // one number each
  for (size_t i = 0; i < rerank::kLikeness; ++i) weights.push_back(own.likeness_bias[int64_t(i)]);
  for (size_t i = 0; i < rerank::kScores; ++i) weights.push_back(own.scale[int64_t(i)]);
  const double before = value();
  double best = before;
  // Whether a step made it better; else it is taken back.
  const auto better_by = [&](const Tensor& weight, double step) {
    const Tensor kept = weight.clone();
    weight.add_(step);
    const double reached = value();
    if (reached > best) {
      best = reached;
      return true;
    }
    weight.copy_(kept);
    return false;
  };
  for (double step = kFirstStep; step >= kLastStep; step /= 2) {
    bool moved = true;
    for (int round = 0; moved && round < kMostRounds; ++round) {
      moved = false;
      for (const Tensor& weight : weights) {
        stop_if_interrupted();
        if (better_by(weight, -step) || better_by(weight, step)) moved = true;
      }
    }
  }
  const std::vector<float> found = values_of(weights);
  log_info(fmt::format(
      "likeness weighs {:.2f}, the two scores {:.2f}: greedy answers are worth {:.4f}, not {:.4f}",
      fmt::join(found.begin(), found.begin() + rerank::kLikeness, ", "),
      fmt::join(found.begin() + rerank::kLikeness, found.end(), ", "), best, before));
  return {{"weights", found}, {"before", before}, {"after", best}};
}

}  // namespace podium::train
