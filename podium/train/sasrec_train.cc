#include "podium/train/sasrec_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/train/checkpoint.h"

namespace podium::train {
namespace {

using data::ItemIndex;
using rerank::SasrecOptions;
using torch::Tensor;

constexpr int64_t kPad = -1;

// Right-aligned ids of a batch. input, target: [rows, time], kPad before a sequence's start.
struct BatchIds {
  Tensor input, target;
};

BatchIds batch_ids(const data::View& fit, const std::vector<Window>& batch) {
  int64_t time = 0;
  for (const Window& w : batch) time = std::max<int64_t>(time, w.end - w.begin - 1);
  BatchIds ids{torch::full({int64_t(batch.size()), time}, kPad, torch::kLong),
               torch::full({int64_t(batch.size()), time}, kPad, torch::kLong)};
  int64_t* input = ids.input.data_ptr<int64_t>();
  int64_t* target = ids.target.data_ptr<int64_t>();
  for (size_t row = 0; row < batch.size(); ++row) {
    const Window& w = batch[row];
    const auto items = fit.items_of(w.user).subspan(w.begin, w.end - w.begin);
    const size_t start = (row + 1) * time - (items.size() - 1);
    for (size_t t = 0; t + 1 < items.size(); ++t) {
      input[start + t] = items[t];
      target[start + t] = items[t + 1];
    }
  }
  return ids;
}

// One forward pass to the loss; one embedding look-up, so that its gradient is scattered once.
Tensor batch_loss(Sasrec& model, const BatchIds& ids, const NegativeSampler& sampler, uint64_t seed,
                  int64_t step) {
  const SasrecOptions& options = model->options;
  const Tensor real = ids.target.ne(kPad).view(-1).nonzero().squeeze(1);  // [positions]
  const Tensor target = ids.target.view(-1).index_select(0, real);
  const std::vector<int64_t> drawn = sampler.draw(options.negatives, seed, step);
  const Tensor negative = torch::tensor(drawn, torch::kLong);
  std::vector<float> correction(drawn.size(), 0.0f);
  if (options.logq) {
    for (size_t j = 0; j < drawn.size(); ++j) {
      correction[j] = float(std::log(double(drawn.size())) + sampler.log_q(drawn[j]));
    }
  }
  const Tensor all = torch::cat({ids.input.clamp_min(0).view(-1), target, negative});
  const Tensor rows = torch::embedding(model->item_embedding, all);
  const int64_t inputs = ids.input.numel(), positions = target.numel();
  const Tensor embedded =
      rows.slice(0, 0, inputs).view({ids.input.size(0), ids.input.size(1), options.dim});
  const Tensor hidden = model->forward(embedded, ids.input.eq(kPad))
                            .view({inputs, options.dim})
                            .index_select(0, real);
  return sampled_softmax_loss(hidden, rows.slice(0, inputs, inputs + positions),
                              rows.slice(0, inputs + positions), torch::tensor(correction),
                              target.unsqueeze(1).eq(negative.unsqueeze(0)));
}

void set_learning_rate(torch::optim::Adam& adam, double rate) {
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
  }
}

// Cosine from the full step down to a twentieth of it.
double learning_rate(const SasrecOptions& options, int64_t step, int64_t steps) {
  const double done = double(step) / double(std::max<int64_t>(1, steps));
  return options.learning_rate * (0.05 + 0.95 * 0.5 * (1 + std::cos(done * M_PI)));
}

double train_step(Sasrec& model, torch::optim::Adam& adam, const Tensor& loss) {
  adam.zero_grad();
  loss.backward();
  adam.step();
  return loss.item<double>();
}

// User vectors [targets, dim] of the histories before the targets.
Tensor user_vectors(Sasrec& model, const data::Dataset& dataset,
                    std::span<const data::Target> targets) {
  const int64_t max_len = model->options.max_len;
  int64_t time = 1;
  for (const auto& t : targets) time = std::max(time, std::min<int64_t>(max_len, t.position));
  Tensor input = torch::full({int64_t(targets.size()), time}, kPad, torch::kLong);
  int64_t* ids = input.data_ptr<int64_t>();
  for (size_t row = 0; row < targets.size(); ++row) {
    const size_t length = std::min<size_t>(time, targets[row].position);
    const auto items =
        dataset.items_of(targets[row].user).subspan(targets[row].position - length, length);
    std::copy(items.begin(), items.end(), ids + (row + 1) * time - length);
  }
  const Tensor embedded = torch::embedding(model->item_embedding, input.clamp_min(0));
  return model->forward(embedded, input.eq(kPad)).select(1, time - 1);
}

// 0-based rank of `wanted` among scores, seen items left out.
int64_t rank_of(const float* scores, size_t items, std::span<const ItemIndex> seen,
                ItemIndex wanted) {
  const float own = scores[wanted];
  const auto ahead = [&](size_t i) { return scores[i] > own || (scores[i] == own && i < wanted); };
  int64_t rank = 0;
  for (size_t i = 0; i < items; ++i) rank += ahead(i);
  std::vector<ItemIndex> distinct(seen.begin(), seen.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (ItemIndex item : distinct) rank -= item != wanted && ahead(item);
  return rank;
}

}  // namespace

std::vector<Window> epoch_windows(const data::View& fit, int max_len, uint64_t seed, int epoch) {
  std::vector<Window> windows;
  Rng rng = Rng(seed).fork("windows").fork(uint64_t(epoch));
  for (uint32_t user = 0; user < fit.length.size(); ++user) {
    const uint32_t length = fit.length[user];
    if (length < 2) continue;
    uint32_t begin = 0;  // of the next window; windows share their border event
    if (length - 1 > uint32_t(max_len)) {
      const uint32_t first = uint32_t(rng.below(max_len)) + 1;  // inputs of the first window
      windows.push_back({user, 0, first + 1});
      begin = first;
    }
    for (; begin + 1 < length; begin += max_len) {
      windows.push_back({user, begin, std::min(length, begin + max_len + 1)});
    }
  }
  return windows;
}

std::vector<std::vector<Window>> epoch_batches(const data::View& fit, const SasrecOptions& options,
                                               uint64_t seed, int epoch) {
  std::vector<Window> windows = epoch_windows(fit, options.max_len, seed, epoch);
  Rng rng = Rng(seed).fork("batches").fork(uint64_t(epoch));
  rng.shuffle(std::span(windows));
  const auto inputs = [](const Window& w) { return w.end - w.begin - 1; };
  std::stable_sort(windows.begin(), windows.end(),
                   [&](const Window& a, const Window& b) { return inputs(a) < inputs(b); });
  std::vector<std::vector<Window>> batches;
  for (const Window& w : windows) {
    const size_t rows = batches.empty() ? 0 : batches.back().size();
    if (rows == 0 || (rows + 1) * inputs(w) > size_t(options.batch_tokens)) batches.emplace_back();
    batches.back().push_back(w);
  }
  rng.shuffle(std::span(batches));
  return batches;
}

NegativeSampler::NegativeSampler(const data::View& fit, double popularity_share) {
  const size_t items = fit.dataset->items();
  std::vector<double> counts(items, 0);
  double total = 0;
  for (uint32_t user = 0; user < fit.length.size(); ++user) {
    for (ItemIndex item : fit.items_of(user)) counts[item] += 1;
    total += fit.length[user];
  }
  const double share = total > 0 ? popularity_share : 0;
  double sum = 0;
  for (size_t i = 0; i < items; ++i) {
    const double q = (share > 0 ? share * counts[i] / total : 0) + (1 - share) / double(items);
    log_q_.push_back(q > 0 ? std::log(q) : -100);
    cumulative_.push_back(sum += q);
  }
}

std::vector<int64_t> NegativeSampler::draw(size_t n, uint64_t seed, int64_t step) const {
  Rng rng = Rng(seed).fork("negatives").fork(uint64_t(step));
  std::vector<int64_t> items(n);
  for (int64_t& item : items) {
    const double at = rng.uniform() * cumulative_.back();
    item = std::upper_bound(cumulative_.begin(), cumulative_.end(), at) - cumulative_.begin();
    item = std::min<int64_t>(item, int64_t(cumulative_.size()) - 1);
  }
  return items;
}

Tensor sampled_softmax_loss(const Tensor& hidden, const Tensor& positive, const Tensor& negative,
                            const Tensor& log_nq, const Tensor& collision) {
  const Tensor own = hidden.mul(positive).sum(1);  // [positions]
  const Tensor others =
      hidden.matmul(negative.t()).sub(log_nq).masked_fill(collision, -1e9);  // [positions, n]
  const Tensor all = torch::logaddexp(own, others.logsumexp(1));
  return (all - own).mean();
}

void fit_sasrec(Sasrec& model, const data::View& fit, const SasrecFit& settings) {
  const SasrecOptions& options = settings.options;
  torch::optim::Adam adam(
      model->parameters(),
      torch::optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  const NegativeSampler sampler(fit, options.popularity_share);
  Checkpointer checkpointer(
      {settings.checkpoint, settings.fingerprint, settings.checkpoint_seconds});
  int64_t step = 0;
  int first_epoch = 0;
  size_t first_batch = 0;
  double loss_sum = 0;
  if (!settings.checkpoint.empty()) {
    if (const auto cursor = checkpointer.restore(*model, adam)) {
      step = (*cursor)["step"];
      first_epoch = (*cursor)["epoch"];
      first_batch = (*cursor)["batch"];
      loss_sum = (*cursor)["loss_sum"];
    }
  }
  model->train();
  Progress progress("sasrec", uint64_t(settings.epochs - first_epoch), "epochs");
  for (int epoch = first_epoch; epoch < settings.epochs; ++epoch) {
    const auto batches = epoch_batches(fit, options, settings.seed, epoch);
    const int64_t steps = int64_t(batches.size()) * settings.epochs;
    for (size_t b = first_batch; b < batches.size(); ++b, ++step) {
      if (!settings.checkpoint.empty()) {
        checkpointer.poll(*model, adam, [&] {
          return Json{{"step", step}, {"epoch", epoch}, {"batch", b}, {"loss_sum", loss_sum}};
        });
      }
      set_learning_rate(adam, learning_rate(options, step, steps));
      const BatchIds ids = batch_ids(fit, batches[b]);
      loss_sum += train_step(model, adam, batch_loss(model, ids, sampler, settings.seed, step));
    }
    const double loss = loss_sum / double(std::max<size_t>(1, batches.size()));
    first_batch = 0;
    loss_sum = 0;
    progress.note(fmt::format("loss {:.3f}", loss));
    progress.add();
    if (settings.after_epoch) settings.after_epoch(epoch, loss);
    model->train();
  }
}

RankMetrics evaluate_sasrec(Sasrec& model, const data::Dataset& dataset,
                            std::span<const data::Target> targets) {
  torch::NoGradGuard no_grad;
  model->eval();
  RankMetrics sum;
  constexpr size_t kRows = 256;
  for (size_t begin = 0; begin < targets.size(); begin += kRows) {
    const auto part = targets.subspan(begin, std::min(kRows, targets.size() - begin));
    const Tensor scores =
        user_vectors(model, dataset, part).matmul(model->item_embedding.t()).contiguous();
    for (size_t row = 0; row < part.size(); ++row) {
      const auto items = dataset.items_of(part[row].user);
      const int64_t rank =
          rank_of(scores.data_ptr<float>() + row * dataset.items(), dataset.items(),
                  items.first(part[row].position), items[part[row].position]);
      const double gain = 1 / std::log2(double(rank) + 2);
      sum.recall5 += rank < 5;
      sum.recall10 += rank < 10;
      sum.ndcg5 += rank < 5 ? gain : 0;
      sum.ndcg10 += rank < 10 ? gain : 0;
    }
  }
  const double n = double(std::max<size_t>(1, targets.size()));
  return {sum.recall5 / n, sum.recall10 / n, sum.ndcg5 / n, sum.ndcg10 / n};
}

}  // namespace podium::train
