#include "podium/train/gradient.h"

#include <algorithm>
#include <cmath>

#include "podium/base/parallel.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr size_t kShards = 4;  // fixed: the sum's order must not depend on the machine

std::vector<std::span<const Example>> micro_batches(const std::vector<Example>& examples,
                                                    int64_t most_tokens) {
  std::vector<std::span<const Example>> batches;
  size_t begin = 0;
  int64_t tokens = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    if (i > begin && tokens + examples[i].tokens() > most_tokens) {
      batches.push_back(std::span(examples).subspan(begin, i - begin));
      begin = i;
      tokens = 0;
    }
    tokens += examples[i].tokens();
  }
  if (begin < examples.size()) batches.push_back(std::span(examples).subspan(begin));
  return batches;
}

void add_to(GradientWorkers::Result& total, const GradientWorkers::Result& part) {
  total.loss += part.loss;
  total.largest = std::max(total.largest, part.largest);
  total.statistics.resize(std::max(total.statistics.size(), part.statistics.size()));
  for (size_t i = 0; i < part.statistics.size(); ++i) total.statistics[i] += part.statistics[i];
}

}  // namespace

GradientWorkers::GradientWorkers(Qwen3 model, Frozen frozen, int threads, int64_t micro_tokens)
    : model_(std::move(model)),
      frozen_(std::move(frozen)),
      threads_(threads),
      micro_tokens_(micro_tokens),
      leaves_(kShards) {
  for (auto& leaves : leaves_) {
    for (const Tensor& weight : model_->weights) {
      leaves.push_back(weight.detach().requires_grad_());
    }
  }
}

GradientWorkers::Result GradientWorkers::backward(const std::vector<Example>& examples,
                                                  const LossFunction& loss) {
  const auto batches = micro_batches(examples, micro_tokens_);
  std::vector<Result> results(batches.size());
  parallel_for(threads_, kShards, 1, [&](size_t shard, size_t) {
    at::set_num_threads(1);  // both are settings of a thread
    at::globalContext().setFlushDenormal(true);
    for (Tensor& leaf : leaves_[shard]) leaf.mutable_grad().reset();
    for (size_t b = shard; b < batches.size(); b += kShards) {
      const Example part = concatenate(batches[b]);
      if (part.scored.empty()) continue;
      const PartLoss value = loss(log_probs(model_->spec, leaves_[shard], part, frozen_), part);
      value.loss.backward();
      results[b] = {value.loss.item<double>(), value.statistics, value.largest};
    }
  });
  Result total;
  for (const Result& result : results) add_to(total, result);
  for (size_t i = 0; i < model_->weights.size(); ++i) {
    Tensor sum;
    for (auto& leaves : leaves_) {
      const Tensor& grad = leaves[i].grad();
      if (grad.defined()) sum = sum.defined() ? sum.add_(grad) : grad.clone();
    }
    model_->weights[i].mutable_grad() = sum;
  }
  return total;
}

torch::optim::AdamW make_adamw(Qwen3& model, double learning_rate, double weight_decay) {
  return torch::optim::AdamW(
      model->parameters(),
      torch::optim::AdamWOptions(learning_rate).betas({0.9, 0.95}).weight_decay(weight_decay));
}

void optimizer_step(Qwen3& model, torch::optim::AdamW& adam, double learning_rate, double loss,
                    const TrainingStep& at) {
  check_loss(loss, at);
  check_gradients(model->weights, at);
  torch::nn::utils::clip_grad_norm_(model->parameters(), 1.0);
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(learning_rate);
  }
  adam.step();
  check_weights(model->weights, at);
}

double cosine_rate(double peak, int64_t step, int64_t steps) {
  const auto warm = std::max<int64_t>(1, steps / 20);
  if (step < warm) return peak * double(step + 1) / double(warm);
  const double done = double(step - warm) / double(std::max<int64_t>(1, steps - warm));
  return peak * (0.1 + 0.9 * 0.5 * (1 + std::cos(done * M_PI)));
}

}  // namespace podium::train
