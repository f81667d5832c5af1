// A training loop that diverges ends at once, and keeps nothing of it: the checkpoint on disk stays
// that of an earlier step, and nothing is exported.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

namespace podium::train {

// Where a loop is: its step, from 1, and the option that sets the size of its steps.
struct TrainingStep {
  int64_t number = 0;
  std::string rate_option;  // "sft.learning_rate"
};

// Each throws Error that names the step and the option to lower unless all numbers are finite.
// fp32, contiguous; parameters without a gradient pass.
void check_loss(double loss, const TrainingStep& at);
void check_gradients(const std::vector<torch::Tensor>& parameters, const TrainingStep& at);
void check_weights(const std::vector<torch::Tensor>& parameters, const TrainingStep& at);

}  // namespace podium::train
