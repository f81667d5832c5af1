#include "podium/ranking/gradients.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/ndcg.h"
#include "podium/base/parallel.h"

namespace podium::ranking {
namespace {

constexpr size_t kChunk = 256;  // groups a piece of parallel work
constexpr double kGrid = 1 << 24;
constexpr double kLeast = 1e-6;  // curvature of a candidate of which nothing is told

float on_grid(double value) { return float(std::round(value * kGrid) / kGrid); }

// One group: [first, first + n) of all arrays.
struct Group {
  const float *labels, *scores;
  size_t n;
  double weight;
  float *first, *second;  // what is written

  void write(const std::vector<double>& g, const std::vector<double>& h) const {
    std::transform(g.begin(), g.end(), first, on_grid);
    std::transform(h.begin(), h.end(), second, on_grid);
  }
};

void softmax_group(const Group& group) {
  const size_t n = group.n;
  const double positives =
      double(std::count_if(group.labels, group.labels + n, [](float y) { return y > 0; }));
  std::vector<double> g(n), h(n, kLeast);
  if (positives == 0 || positives == double(n)) return group.write(g, h);  // nothing to tell apart
  const double most = *std::max_element(group.scores, group.scores + n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += std::exp(group.scores[i] - most);
  for (size_t i = 0; i < n; ++i) {
    const double p = std::exp(group.scores[i] - most) / sum;
    g[i] = group.weight * (p - (group.labels[i] > 0 ? 1 / positives : 0));
    h[i] = std::max(kLeast, group.weight * 2 * p * (1 - p));
  }
  group.write(g, h);
}

void lambda_group(const Group& group) {
  const size_t n = group.n;
  const float *labels = group.labels, *scores = group.scores;
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  double ideal = 0;
  size_t positives = 0;
  for (size_t i = 0; i < n; ++i) ideal += labels[i] > 0 ? rank_discount(positives++) : 0;
  std::vector<double> g(n), h(n, kLeast);
  for (size_t a = 0; a < n; ++a) {
    const size_t i = order[a];
    if (labels[i] <= 0) continue;
    for (size_t b = 0; b < n; ++b) {
      const size_t j = order[b];
      if (labels[j] > 0) continue;
      const double p = 1 / (1 + std::exp(double(scores[i]) - scores[j]));
      const double weight = group.weight * std::abs(rank_discount(a) - rank_discount(b)) / ideal;
      g[i] -= p * weight, g[j] += p * weight;
      h[i] += 2 * p * (1 - p) * weight, h[j] += 2 * p * (1 - p) * weight;
    }
  }
  group.write(g, h);
}

template <class OfGroup>
Gradients gradients(const RankingData& data, const float* scores, int threads,
                    const OfGroup& of_group) {
  std::vector<size_t> begin = {0};
  for (const uint32_t n : data.groups) begin.push_back(begin.back() + n);
  Gradients out{std::vector<float>(begin.back()), std::vector<float>(begin.back())};
  parallel_for(threads, data.groups.size(), kChunk, [&](size_t first, size_t last) {
    for (size_t g = first; g < last; ++g) {
      const size_t at = begin[g];
      of_group({&data.labels[at], scores + at, data.groups[g], data.weight(g), &out.first[at],
                &out.second[at]});
    }
  });
  return out;
}

}  // namespace

Gradients softmax_gradients(const RankingData& data, const float* scores, int threads) {
  return gradients(data, scores, threads, softmax_group);
}

Gradients lambda_gradients(const RankingData& data, const float* scores, int threads) {
  return gradients(data, scores, threads, lambda_group);
}

}  // namespace podium::ranking
