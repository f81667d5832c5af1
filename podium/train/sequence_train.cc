#include "podium/train/sequence_train.h"

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
using rerank::SequenceOptions;
using torch::Tensor;

// A batch of windows: their inputs as tokens, and the event after each [rows, time].
struct Batch {
  Tokens tokens;
  Tensor target;
};

Tokens padded_tokens(int64_t rows, int64_t time) {
  const auto zeros = [&] { return torch::zeros({rows, time}, torch::kLong); };
  return {torch::full({rows, time}, kPad, torch::kLong), zeros(), zeros(), zeros()};
}

// Writes the events of one row, right-aligned: items [n] and times [n + 1], the last of which is
// when the row's last state is asked for.
void put_row(Tokens& tokens, size_t row, std::span<const ItemIndex> items,
             std::span<const int64_t> times) {
  const size_t start = (row + 1) * size_t(tokens.items.size(1)) - items.size();
  for (size_t t = 0; t < items.size(); ++t) {
    tokens.items.data_ptr<int64_t>()[start + t] = items[t];
    tokens.position.data_ptr<int64_t>()[start + t] = int64_t(t);
    tokens.times.data_ptr<int64_t>()[start + t] = times[t];
    tokens.asked.data_ptr<int64_t>()[start + t] = times[t + 1];
  }
}

Batch make_batch(const data::View& fit, const std::vector<Window>& windows) {
  int64_t time = 0;
  for (const Window& w : windows) time = std::max<int64_t>(time, w.end - w.begin - 1);
  const auto rows = int64_t(windows.size());
  Batch batch{padded_tokens(rows, time), torch::full({rows, time}, kPad, torch::kLong)};
  for (size_t row = 0; row < windows.size(); ++row) {
    const Window& w = windows[row];
    const auto items = fit.items_of(w.user).subspan(w.begin, w.end - w.begin);
    const auto times = fit.times_of(w.user).subspan(w.begin, w.end - w.begin);
    put_row(batch.tokens, row, items.first(items.size() - 1), times);
    int64_t* const end = batch.target.data_ptr<int64_t>() + (int64_t(row) + 1) * time;
    std::copy(items.begin() + 1, items.end(), end - int64_t(items.size() - 1));
  }
  return batch;
}

// Behind every row: one of its targets, drawn at random, and then `negatives` drawn items, all in
// that target's place.
void add_candidates(Batch& batch, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                    int64_t step) {
  Tokens& tokens = batch.tokens;
  const int64_t rows = tokens.items.size(0), time = tokens.items.size(1);
  Rng rng = Rng(seed).fork("candidates").fork(uint64_t(step));
  Tensor column = torch::empty({rows, 1}, torch::kLong);
  const Tensor events = batch.target.ne(kPad).sum(1);
  for (int64_t row = 0; row < rows; ++row) {
    const auto length = uint64_t(events.data_ptr<int64_t>()[row]);
    column.data_ptr<int64_t>()[row] = time - 1 - int64_t(rng.below(length));
  }
  const int64_t many = negatives + 1;
  const Tensor drawn =
      torch::tensor(sampler.draw(size_t(rows * negatives), rng.next(), step), torch::kLong);
  const auto put = [&](Tensor& to, const Tensor& values) {
    to = torch::cat({to, values}, 1).contiguous();
  };
  const Tensor at = tokens.position.gather(1, column) + 1;
  const Tensor when = tokens.asked.gather(1, column);
  put(tokens.items, torch::cat({batch.target.gather(1, column), drawn.view({rows, negatives})}, 1));
  put(tokens.position, at.expand({rows, many}));
  put(tokens.times, when.expand({rows, many}));
  put(tokens.asked, when.expand({rows, many}));
  tokens.candidates = many;
}

// log(n q) of drawn items, in their shape; zeros without the correction.
Tensor log_counts(const Tensor& items, int64_t n, const NegativeSampler& sampler, bool logq) {
  Tensor counts = torch::zeros(items.sizes());
  if (!logq) return counts;
  const Tensor flat = items.contiguous();
  for (int64_t i = 0; i < flat.numel(); ++i) {
    counts.data_ptr<float>()[i] =
        float(std::log(double(n)) + sampler.log_q(flat.data_ptr<int64_t>()[i]));
  }
  return counts;
}

// Mean of -log(exp(own) / (exp(own) + sum exp(others))), others [n, m] without those that collide.
Tensor softmax_loss(const Tensor& own, const Tensor& others, const Tensor& collision) {
  const Tensor all = torch::logaddexp(own, others.masked_fill(collision, -1e9).logsumexp(1));
  return (all - own).mean();
}

// The loss of candidates' own states [rows, 1 + negatives, dim], the row's target first.
Tensor rank_loss(const SequenceModelImpl& model, const Tensor& states, const Tensor& items,
                 const NegativeSampler& sampler) {
  const Tensor scores = states.matmul(model.rank_head);
  const Tensor target = items.slice(1, 0, 1), negative = items.slice(1, 1);
  const Tensor corrected =
      scores.slice(1, 1) - log_counts(negative, negative.size(1), sampler, model.options.logq);
  return softmax_loss(scores.select(1, 0), corrected, negative.eq(target));
}

// One forward pass to the loss; one embedding look-up, so that its gradient is scattered once.
Tensor batch_loss(SequenceModelImpl& model, Batch& batch, const NegativeSampler& sampler,
                  uint64_t seed, int64_t step) {
  const SequenceOptions& options = model.options;
  const int64_t events = batch.target.size(1);
  if (model.rank_weight > 0) add_candidates(batch, sampler, model.rank_negatives, seed, step);
  const Tokens& tokens = batch.tokens;
  const Tensor real = batch.target.ne(kPad).view(-1).nonzero().squeeze(1);  // [positions]
  const Tensor target = batch.target.view(-1).index_select(0, real);
  const Tensor negative = torch::tensor(sampler.draw(options.negatives, seed, step), torch::kLong);
  const Tensor all = torch::cat({tokens.items.clamp_min(0).view(-1), target, negative});
  const Tensor rows = torch::embedding(model.item_embedding, all);
  const int64_t inputs = tokens.items.numel(), positions = target.numel();
  const Tensor embedded =
      rows.slice(0, 0, inputs).view({tokens.items.size(0), tokens.items.size(1), options.dim});
  const Tensor states = model.encode(embedded, tokens);
  const Tensor hidden = states.slice(1, 0, events).reshape({-1, options.dim}).index_select(0, real);
  const Tensor loss = sampled_softmax_loss(
      hidden, rows.slice(0, inputs, inputs + positions), rows.slice(0, inputs + positions),
      log_counts(negative, options.negatives, sampler, options.logq),
      target.unsqueeze(1).eq(negative.unsqueeze(0)));
  if (tokens.candidates == 0) return loss;
  return loss + model.rank_weight * rank_loss(model, states.slice(1, events),
                                              tokens.items.slice(1, events), sampler);
}

void set_learning_rate(torch::optim::Adam& adam, double rate) {
  for (auto& group : adam.param_groups()) {
    static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
  }
}

// Cosine from the full step down to a twentieth of it.
double learning_rate(const SequenceOptions& options, int64_t step, int64_t steps) {
  const double done = double(step) / double(std::max<int64_t>(1, steps));
  return options.learning_rate * (0.05 + 0.95 * 0.5 * (1 + std::cos(done * M_PI)));
}

double train_step(torch::optim::Adam& adam, const Tensor& loss) {
  adam.zero_grad();
  loss.backward();
  adam.step();
  return loss.item<double>();
}

// User vectors [targets, dim] of the histories before the targets.
Tensor user_vectors(SequenceModelImpl& model, const data::Dataset& dataset,
                    std::span<const data::Target> targets) {
  const int64_t max_len = model.options.max_len;
  int64_t time = 1;
  for (const auto& t : targets) time = std::max(time, std::min<int64_t>(max_len, t.position));
  Tokens tokens = padded_tokens(int64_t(targets.size()), time);
  for (size_t row = 0; row < targets.size(); ++row) {
    const data::Target& t = targets[row];
    const size_t length = std::min<size_t>(time, t.position), begin = t.position - length;
    put_row(tokens, row, dataset.items_of(t.user).subspan(begin, length),
            dataset.times_of(t.user).subspan(begin, length + 1));
  }
  const Tensor embedded = torch::embedding(model.item_embedding, tokens.items.clamp_min(0));
  return model.encode(embedded, tokens).select(1, time - 1);
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

std::vector<std::vector<Window>> epoch_batches(const data::View& fit,
                                               const SequenceOptions& options, uint64_t seed,
                                               int epoch) {
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
  return softmax_loss(hidden.mul(positive).sum(1),              // [positions]
                      hidden.matmul(negative.t()).sub(log_nq),  // [positions, n]
                      collision);
}

void fit_sequence_model(SequenceModelImpl& model, const data::View& fit,
                        const SequenceFit& settings) {
  const SequenceOptions& options = settings.options;
  torch::optim::Adam adam(
      model.parameters(),
      torch::optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  const NegativeSampler sampler(fit, options.popularity_share);
  Checkpointer checkpointer(
      {settings.checkpoint, settings.fingerprint, settings.checkpoint_seconds});
  int64_t step = 0;
  int first_epoch = 0;
  size_t first_batch = 0;
  double loss_sum = 0;
  if (!settings.checkpoint.empty()) {
    if (const auto cursor = checkpointer.restore(model, adam)) {
      step = (*cursor)["step"];
      first_epoch = (*cursor)["epoch"];
      first_batch = (*cursor)["batch"];
      loss_sum = (*cursor)["loss_sum"];
    }
  }
  model.train();
  Progress progress("sequence model", uint64_t(settings.epochs - first_epoch), "epochs");
  for (int epoch = first_epoch; epoch < settings.epochs; ++epoch) {
    const auto batches = epoch_batches(fit, options, settings.seed, epoch);
    const int64_t steps = int64_t(batches.size()) * settings.epochs;
    for (size_t b = first_batch; b < batches.size(); ++b, ++step) {
      if (!settings.checkpoint.empty()) {
        checkpointer.poll(model, adam, [&] {
          return Json{{"step", step}, {"epoch", epoch}, {"batch", b}, {"loss_sum", loss_sum}};
        });
      }
      set_learning_rate(adam, learning_rate(options, step, steps));
      Batch batch = make_batch(fit, batches[b]);
      loss_sum += train_step(adam, batch_loss(model, batch, sampler, settings.seed, step));
    }
    const double loss = loss_sum / double(std::max<size_t>(1, batches.size()));
    first_batch = 0;
    loss_sum = 0;
    progress.note(fmt::format("loss {:.3f}", loss));
    progress.add();
    if (settings.after_epoch) settings.after_epoch(epoch, loss);
    model.train();
  }
}

RankMetrics evaluate_sequence_model(SequenceModelImpl& model, const data::Dataset& dataset,
                                    std::span<const data::Target> targets) {
  torch::NoGradGuard no_grad;
  model.eval();
  RankMetrics sum;
  constexpr size_t kRows = 256;
  for (size_t begin = 0; begin < targets.size(); begin += kRows) {
    const auto part = targets.subspan(begin, std::min(kRows, targets.size() - begin));
    const Tensor scores =
        user_vectors(model, dataset, part).matmul(model.item_embedding.t()).contiguous();
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
