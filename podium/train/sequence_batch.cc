#include "podium/train/sequence_batch.h"

#include <algorithm>
#include <cmath>

#include "podium/base/rng.h"

namespace podium::train {

using data::ItemIndex;
using torch::Tensor;

namespace {

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

Batch make_batch(const data::View& fit, const std::vector<Window>& windows) {
  int64_t time = 0;
  for (const Window& w : windows) time = std::max<int64_t>(time, w.end - w.begin - 1);
  const auto rows = int64_t(windows.size());
  Batch batch{padded_tokens(rows, time), torch::full({rows, time}, kPad, torch::kLong), {}};
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

void add_candidates(Batch& batch, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                    int64_t step) {
  Tokens& tokens = batch.tokens;
  const int64_t rows = tokens.items.size(0), time = tokens.items.size(1);
  Rng rng = Rng(seed).fork("candidates").fork(uint64_t(step));
  batch.before = torch::empty({rows}, torch::kLong);
  const Tensor events = batch.target.ne(kPad).sum(1);
  for (int64_t row = 0; row < rows; ++row) {
    const auto length = uint64_t(events.data_ptr<int64_t>()[row]);
    batch.before.data_ptr<int64_t>()[row] = time - 1 - int64_t(rng.below(length));
  }
  const Tensor column = batch.before.unsqueeze(1);
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

Tokens histories_before(const data::Dataset& dataset, std::span<const data::Target> targets,
                        int64_t max_len) {
  int64_t time = 1;
  for (const auto& t : targets) time = std::max(time, std::min<int64_t>(max_len, t.position));
  Tokens tokens = padded_tokens(int64_t(targets.size()), time);
  for (size_t row = 0; row < targets.size(); ++row) {
    const data::Target& t = targets[row];
    const size_t length = std::min<size_t>(time, t.position), begin = t.position - length;
    put_row(tokens, row, dataset.items_of(t.user).subspan(begin, length),
            dataset.times_of(t.user).subspan(begin, length + 1));
  }
  return tokens;
}

}  // namespace podium::train
