// One optimizer step over a list of examples on several threads, with the same bits whatever the
// thread count: the examples form micro-batches, these go to a fixed number of shards, each shard
// has its own gradients, and the shards are summed in order.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

#include "podium/train/divergence.h"
#include "podium/train/policy_batch.h"

namespace podium::train {

struct PartLoss {
  torch::Tensor loss;              // scalar; the parts' losses add up to the batch's
  std::vector<double> statistics;  // summed over the parts
  double largest = 0;              // the maximum over the parts
};
// logprob: [scored] of `part`. Called concurrently.
using LossFunction = std::function<PartLoss(const torch::Tensor& logprob, const Example& part)>;

class GradientWorkers {
 public:
  // micro_tokens: tokens a micro-batch, at least one example.
  GradientWorkers(Qwen3 model, Frozen frozen, int threads, int64_t micro_tokens = 1024);

  struct Result {
    double loss = 0;
    std::vector<double> statistics;
    double largest = 0;
  };
  // Sets the gradients of the model's weights.
  Result backward(const std::vector<Example>& examples, const LossFunction& loss);

 private:
  Qwen3 model_;
  Frozen frozen_;
  int threads_;
  int64_t micro_tokens_;
  std::vector<std::vector<torch::Tensor>> leaves_;  // [shards][weights], sharing the model's memory
};

// AdamW as every policy stage uses it: betas 0.9, 0.95; norm of the gradient clipped to 1.
torch::optim::AdamW make_adamw(Qwen3& model, double learning_rate, double weight_decay);
// One step with the gradients of this loss. Throws Error when loss, gradients or the new weights
// are not finite.
void optimizer_step(Qwen3& model, torch::optim::AdamW& adam, double learning_rate, double loss,
                    const TrainingStep& at);

// Linear warm-up over the first twentieth, then a cosine down to a tenth of the peak.
double cosine_rate(double peak, int64_t step, int64_t steps);

}  // namespace podium::train
