#include "podium/train/gradient.h"

#include <algorithm>
#include <cmath>
#include <memory>

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

GradientWorkers::GradientWorkers(Qwen3 model, Frozen frozen, int threads, ProcessGroup group,
                                 int64_t micro_tokens)
    : model_(std::move(model)),
      frozen_(std::move(frozen)),
      threads_(threads),
      group_(std::move(group)),
      micro_tokens_(micro_tokens),
      leaves_(kShards) {
  const torch::Device device = frozen_.trace_mask.device();
  for (const Tensor& part : model_->learnt->parts) {
    parts_.push_back(part.detach().to(device));
    for (auto& leaves : leaves_) leaves.push_back(parts_.back().detach().requires_grad_());
  }
  for (size_t i = 0; i < model_->weights.size(); ++i) {
    const bool whole = model_->learnt->whole(i);
    placed_.push_back(whole ? Tensor() : model_->weights[i].detach().to(device));
  }
}

void GradientWorkers::run_shard(size_t shard, const MicroBatches& batches, const LossFunction& loss,
                                std::vector<Result>& results) {
  at::set_num_threads(1);  // both are settings of a thread
  at::globalContext().setFlushDenormal(true);
  for (Tensor& leaf : leaves_[shard]) leaf.mutable_grad().reset();
  for (size_t b = shard; b < batches.size(); b += kShards) {
    Example part = concatenate(batches[b]);
    if (part.scored.empty()) continue;
    part.packed.recompute = model_->recompute;
    part.packed.bf16 = model_->bf16;
    const auto weights = model_->learnt->weights_over(leaves_[shard], placed_);
    const PartLoss value = loss(log_probs(model_->spec, weights, part, frozen_), part);
    value.loss.backward();
    results[b] = {value.loss.item<double>(), value.statistics, value.largest};
  }
}

// A process sends its shards in order: of each weight a 1 and its gradient, or a 0.
GradientWorkers::Gradients GradientWorkers::gather_gradients() const {
  Gradients gradients(kShards);
  std::vector<Tensor> own = {torch::empty({0})};
  for (size_t shard = 0; shard < kShards; ++shard) {
    for (const Tensor& leaf : leaves_[shard]) {
      const Tensor gradient = leaf.grad().defined() ? leaf.grad().to(torch::kCPU) : Tensor();
      gradients[shard].push_back(gradient);
      if (group_.size() == 1 || rank_of(shard) != group_.rank()) continue;
      own.push_back(torch::full({1}, gradient.defined() ? 1.0 : 0.0));
      if (gradient.defined()) own.push_back(gradient.flatten());
    }
  }
  if (group_.size() == 1) return gradients;
  const std::vector<Tensor> all = group_.gather(torch::cat(own));
  std::vector<int64_t> at(all.size());
  for (size_t shard = 0; shard < kShards; ++shard) {
    const auto rank = size_t(rank_of(shard));
    for (size_t i = 0; i < parts_.size(); ++i) {
      const bool defined = all[rank][at[rank]++].item<float>() != 0;
      const int64_t length = defined ? parts_[i].numel() : 0;
      const Tensor values = all[rank].narrow(0, at[rank], length);
      gradients[shard][i] = defined ? values.view_as(parts_[i]) : Tensor();
      at[rank] += length;
    }
  }
  return gradients;
}

// A process sends its micro-batches in order: loss, largest, number of statistics, statistics.
void GradientWorkers::gather_results(std::vector<Result>& results) const {
  if (group_.size() == 1) return;
  std::vector<double> own;
  for (size_t b = 0; b < results.size(); ++b) {
    if (rank_of(b % kShards) != group_.rank()) continue;
    const auto& statistics = results[b].statistics;
    own.insert(own.end(), {results[b].loss, results[b].largest, double(statistics.size())});
    own.insert(own.end(), statistics.begin(), statistics.end());
  }
  const std::vector<Tensor> all = group_.gather(torch::tensor(own, torch::kDouble));
  std::vector<const double*> at;
  for (const Tensor& one : all) at.push_back(one.data_ptr<double>());
  for (size_t b = 0; b < results.size(); ++b) {
    const double*& next = at[size_t(rank_of(b % kShards))];
    const auto count = std::ptrdiff_t(next[2]);
    results[b] = {next[0], {next + 3, next + 3 + count}, next[1]};
    next += 3 + count;
  }
}

GradientWorkers::Result GradientWorkers::backward(const std::vector<Example>& examples,
                                                  const LossFunction& loss) {
  const auto batches = micro_batches(examples, micro_tokens_);
  const auto place = [](const std::vector<Tensor>& from, std::vector<Tensor>& to) {
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i].defined() && !to[i].is_cpu()) to[i].copy_(from[i].detach());
    }
  };
  place(model_->learnt->parts, parts_);
  place(model_->weights, placed_);
  std::vector<Result> results(batches.size());
  std::vector<size_t> own;
  for (size_t shard = 0; shard < kShards; ++shard) {
    if (rank_of(shard) == group_.rank()) own.push_back(shard);
  }
  parallel_for(threads_, own.size(), 1,
               [&](size_t i, size_t) { run_shard(own[i], batches, loss, results); });
  gather_results(results);
  Result total;
  for (const Result& result : results) add_to(total, result);
  const Gradients gradients = gather_gradients();
  for (size_t i = 0; i < parts_.size(); ++i) {
    Tensor sum;
    for (const auto& of_shard : gradients) {
      const Tensor& gradient = of_shard[i];
      if (gradient.defined()) sum = sum.defined() ? sum.add_(gradient) : gradient.clone();
    }
    model_->learnt->parts[i].mutable_grad() = sum;
  }
  return total;
}

PartLoss weighed_loss(const Tensor& logprob, const Example& part, double total) {
  std::vector<float> weights;
  for (const ScoredToken& scored : part.scored) weights.push_back(scored.weight);
  return {-(logprob * torch::tensor(weights)).sum() / total, {}};
}

std::optional<Json> resume(const Checkpointer& checkpointer, Qwen3& model,
                           torch::optim::AdamW& adam) {
  auto cursor = checkpointer.restore(*model->learnt, adam);
  if (cursor) model->learnt->merge();
  return cursor;
}

namespace {

// The step of SlateWeights::stands, whatever that of the others is: one number, which has to
// outweigh all scores.
constexpr double kStandsRate = 0.1;

bool same_weight(const Tensor& part, const Tensor& weight) {
  return weight.defined() && part.data_ptr() == weight.data_ptr();
}

}  // namespace

torch::optim::AdamW make_adamw(Qwen3& model, const LearningRate& rate, double weight_decay) {
  const SlateWeights own = slate_weights(model->spec, model->weights);
  std::vector<Tensor> others, shared, stands;
  for (const Tensor& part : model->learnt->parts) {
    const bool weighs = same_weight(part, own.scale) || same_weight(part, own.likeness_user) ||
                        same_weight(part, own.likeness_bias);
    auto& group = same_weight(part, own.stands) ? stands
                  : weighs && rate.shared != 1  ? shared
                                                : others;
    group.push_back(part);
  }
  const auto options =
      torch::optim::AdamWOptions(rate.all).betas({0.9, 0.95}).weight_decay(weight_decay);
  torch::optim::AdamW adam(others, options);
  for (const auto& parts : {shared, stands}) {
    if (parts.empty()) continue;
    torch::optim::OptimizerParamGroup group(parts);
    group.set_options(
        std::make_unique<torch::optim::AdamWOptions>(options));  // a step sets the rate
    adam.add_param_group(group);
  }
  return adam;
}

void optimizer_step(Qwen3& model, torch::optim::AdamW& adam, const LearningRate& rate, double loss,
                    const TrainingStep& at) {
  check_loss(loss, at);
  check_gradients(model->learnt->parts, at);
  torch::nn::utils::clip_grad_norm_(model->learnt->parts, 1.0);
  const Tensor stands = slate_weights(model->spec, model->weights).stands;
  double times = 1;  // of the first group; another is what all answers share
  for (auto& group : adam.param_groups()) {
    const bool stand = same_weight(group.params().front(), stands);
    static_cast<torch::optim::AdamWOptions&>(group.options())
        .lr(stand ? kStandsRate : rate.all * times);
    times = rate.shared;
  }
  adam.step();
  check_weights(model->learnt->parts, at);
  model->learnt->merge();
}

double cosine_rate(double peak, int64_t step, int64_t steps) {
  const auto warm = std::max<int64_t>(1, steps / 20);
  if (step < warm) return peak * double(step + 1) / double(warm);
  const double done = double(step - warm) / double(std::max<int64_t>(1, steps - warm));
  return peak * (0.1 + 0.9 * 0.5 * (1 + std::cos(done * M_PI)));
}

}  // namespace podium::train
