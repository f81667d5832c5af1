#include "podium/train/sequence_eval.h"

#include <algorithm>
#include <numeric>

#include "podium/base/ndcg.h"
#include "podium/train/sequence_batch.h"

namespace podium::train {

using data::ItemIndex;
using torch::Tensor;

namespace {

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

// Sums over targets, then means.
class Metrics {
 public:
  // scores: of every item, in the place of the target.
  void add(const float* scores, const data::Dataset& dataset, const data::Target& target) {
    const auto items = dataset.items_of(target.user);
    const int64_t rank =
        rank_of(scores, dataset.items(), items.first(target.position), items[target.position]);
    const double gain = rank_discount(size_t(rank));
    sum_.recall5 += rank < 5;
    sum_.recall10 += rank < 10;
    sum_.ndcg5 += rank < 5 ? gain : 0;
    sum_.ndcg10 += rank < 10 ? gain : 0;
    ++targets_;
  }
  RankMetrics mean() const {
    const double n = double(std::max<size_t>(1, targets_));
    return {sum_.recall5 / n, sum_.recall10 / n, sum_.ndcg5 / n, sum_.ndcg10 / n};
  }

 private:
  RankMetrics sum_;
  size_t targets_ = 0;
};

}  // namespace

RankMetrics evaluate_sequence_model(SequenceModelImpl& model, const data::Dataset& dataset,
                                    std::span<const data::Target> targets) {
  torch::NoGradGuard no_grad;
  model.eval();
  const Tensor items = model.all_items();
  Metrics metrics;
  constexpr size_t kRows = 256;
  for (size_t begin = 0; begin < targets.size(); begin += kRows) {
    const auto part = targets.subspan(begin, std::min(kRows, targets.size() - begin));
    const Tokens tokens = histories_before(dataset, part, model.options.max_len);
    const Tensor embedded =
        torch::embedding(items, tokens.items.clamp_min(0));  // [rows, time, dim]
    const Tensor users = model.encode(embedded, tokens).select(1, tokens.items.size(1) - 1);
    const Tensor scores = users.matmul(items.t()).contiguous();
    for (size_t row = 0; row < part.size(); ++row) {
      metrics.add(scores.data_ptr<float>() + row * dataset.items(), dataset, part[row]);
    }
  }
  return metrics.mean();
}

RankMetrics evaluate_hstu_ranking(const sequence::Hstu& model, const data::Dataset& dataset,
                                  std::span<const data::Target> targets) {
  std::vector<ItemIndex> all(dataset.items());
  std::iota(all.begin(), all.end(), 0);
  std::vector<float> scores(all.size());
  Metrics metrics;
  for (const data::Target& t : targets) {
    const auto times = dataset.times_of(t.user);
    model.rank(model.read({dataset.items_of(t.user).first(t.position), times.first(t.position),
                           times[t.position]}),
               all, scores);
    metrics.add(scores.data(), dataset, t);
  }
  return metrics.mean();
}

}  // namespace podium::train
