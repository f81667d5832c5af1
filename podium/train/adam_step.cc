#include "podium/train/adam_step.h"

#include <vector>

namespace podium::train {

double adam_step(torch::optim::Adam& adam, const torch::Tensor& loss, double rate,
                 const TrainingStep& at) {
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
  }
  const std::vector<torch::Tensor>& parameters = adam.param_groups().front().params();
  adam.zero_grad();
  loss.backward();
  check_loss(loss.item<double>(), at);
  check_gradients(parameters, at);
  adam.step();
  check_weights(parameters, at);
  return loss.item<double>();
}

}  // namespace podium::train
