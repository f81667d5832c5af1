#include "podium/train/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/finite.h"

namespace podium::train {
namespace {

using torch::Tensor;

bool finite(const Tensor& tensor) {
  const Tensor dense = tensor.detach().contiguous();
  return all_finite({dense.data_ptr<float>(), size_t(dense.numel())});
}

[[noreturn]] void diverged(const char* what, const TrainingStep& at) {
  throw Error(fmt::format("the {} not finite at step {}", what, at.number),
              "lower " + at.rate_option);
}

}  // namespace

void check_loss(double loss, const TrainingStep& at) {
  if (!std::isfinite(loss)) diverged("loss is", at);
}

void check_gradients(const std::vector<Tensor>& parameters, const TrainingStep& at) {
  const bool sound = std::ranges::all_of(
      parameters, [](const Tensor& p) { return !p.grad().defined() || finite(p.grad()); });
  if (!sound) diverged("gradient is", at);
}

void check_weights(const std::vector<Tensor>& parameters, const TrainingStep& at) {
  if (!std::ranges::all_of(parameters, finite)) diverged("weights are", at);
}

}  // namespace podium::train
