#include <algorithm>

#include "podium/base/ndcg.h"
#include "podium/eval/metrics.h"

namespace podium::eval {
namespace {

constexpr std::array<const char*, kMetrics> kNames = {"R@1", "R@3",  "R@5", "R@10", "N@3",
                                                      "N@5", "N@10", "MRR", "AUC"};
constexpr std::array<size_t, kMrr> kCut = {1, 3, 5, 10, 3, 5, 10};  // the k of R@k and N@k

}  // namespace

std::string_view metric_name(Metric metric) { return kNames[metric]; }

double metric_of_rank(Metric metric, int32_t rank, size_t k) {
  if (metric == kAuc) {
    if (k < 2) return kNan;
    if (rank < 0 || size_t(rank) >= k) return 0;  // put after every other candidate
    return 1 - double(rank) / double(k - 1);
  }
  if (rank < 0) return 0;
  if (metric == kMrr) return 1.0 / (rank + 1);
  if (size_t(rank) >= kCut[metric]) return 0;
  return metric <= kR10 ? 1 : rank_discount(size_t(rank));
}

bool reads_labels(Metric metric) { return metric > kR10 && metric != kMrr; }

double metric_of_labels(Metric metric, std::span<const uint8_t> labels) {
  return metric == kAuc ? auc(labels).value_or(kNan) : ndcg(labels, kCut.at(metric));
}

double gini(std::vector<uint64_t> counts) {
  std::sort(counts.begin(), counts.end());
  double weighted = 0, total = 0;
  const double n = double(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    weighted += (2.0 * double(i + 1) - n - 1) * double(counts[i]);
    total += double(counts[i]);
  }
  return total == 0 ? 0 : weighted / (n * total);
}

}  // namespace podium::eval
