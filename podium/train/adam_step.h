// One step of Adam, watched (divergence.h), as the sequence models and the RQ-VAE take it.
#pragma once

#include <torch/torch.h>

#include "podium/train/divergence.h"

namespace podium::train {

// Backward and one step at this rate. Returns the loss. Throws Error when loss, gradients or the
// new weights are not finite.
double adam_step(torch::optim::Adam& adam, const torch::Tensor& loss, double rate,
                 const TrainingStep& at);

}  // namespace podium::train
