// One optimizer step over a list of examples on several threads, with the same bits whatever the
// thread count: the examples form micro-batches, these go to a fixed number of shards, each shard
// has its own gradients, and the shards are summed in order. Processes share out the shards and
// gather them before the sum, so their number changes no bit either; more than four would idle.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "podium/train/checkpoint.h"
#include "podium/train/divergence.h"
#include "podium/train/policy_batch.h"
#include "podium/train/process_group.h"

namespace podium::train {

struct PartLoss {
  torch::Tensor loss;              // scalar; the parts' losses add up to the batch's
  std::vector<double> statistics;  // summed over the parts
  double largest = 0;              // the maximum over the parts
};
// logprob: [scored] of `part`. Called concurrently.
using LossFunction = std::function<PartLoss(const torch::Tensor& logprob, const Example& part)>;

// -sum of weight x log probability of what the part scores, over `total`.
PartLoss weighed_loss(const torch::Tensor& logprob, const Example& part, double total);

class GradientWorkers {
 public:
  // The model lies on the CPU; gradients are computed on the device of `frozen`, to which the
  // weights are copied for every step, and come back. threads: of each process. micro_tokens:
  // tokens a micro-batch, at least one example.
  GradientWorkers(Qwen3 model, Frozen frozen, int threads, ProcessGroup group = {},
                  int64_t micro_tokens = 1024);

  struct Result {
    double loss = 0;
    std::vector<double> statistics;
    double largest = 0;
  };
  // Sets the gradients of what the model learns (Learnt::parts). Called by all processes with the
  // same examples.
  Result backward(const std::vector<Example>& examples, const LossFunction& loss);

 private:
  using MicroBatches = std::vector<std::span<const Example>>;
  using Gradients = std::vector<std::vector<torch::Tensor>>;  // [shards][parts]; undefined: none

  int64_t rank_of(size_t shard) const { return int64_t(shard) % group_.size(); }
  void run_shard(size_t shard, const MicroBatches& batches, const LossFunction& loss,
                 std::vector<Result>& results);
  // Those of the other processes too.
  Gradients gather_gradients() const;
  void gather_results(std::vector<Result>& results) const;

  Qwen3 model_;
  Frozen frozen_;
  int threads_;
  ProcessGroup group_;
  int64_t micro_tokens_;
  // On the device; on the CPU the model's. parts_: what learns; placed_: [weights], undefined where
  // a part is the weight.
  std::vector<torch::Tensor> parts_, placed_;
  std::vector<std::vector<torch::Tensor>> leaves_;  // [shards][parts], sharing parts_'s memory
};

// Of all that learns, and how much faster what all answers share does: the weights of what is given
// and of likeness (SlateWeights::scale, likeness_user, likeness_bias). The same `shared` for an
// optimizer and its steps.
struct LearningRate {
  LearningRate(double rate, double times = 1) : all(rate), shared(times) {}
  double all, shared;
};

// AdamW as every policy stage uses it: betas 0.9, 0.95; norm of the gradient clipped to 1.
torch::optim::AdamW make_adamw(Qwen3& model, const LearningRate& rate, double weight_decay);
// What learns, and the optimizer, as the checkpoint has them; its cursor. nullopt, and nothing
// changed, where there is none.
std::optional<Json> resume(const Checkpointer& checkpointer, Qwen3& model,
                           torch::optim::AdamW& adam);
// One step with the gradients of this loss, of what learns. Throws Error when loss, gradients or
// the new weights are not finite.
void optimizer_step(Qwen3& model, torch::optim::AdamW& adam, const LearningRate& rate, double loss,
                    const TrainingStep& at);

// Linear warm-up over the first twentieth, then a cosine down to a tenth of the peak.
double cosine_rate(double peak, int64_t step, int64_t steps);

}  // namespace podium::train
