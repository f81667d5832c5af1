#include "podium/base/ndcg.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace podium {
namespace {

double dcg(std::span<const uint8_t> ranked, size_t at) {
  double sum = 0;
  for (size_t r = 0; r < std::min(at, ranked.size()); ++r) {
    sum += (std::exp2(ranked[r]) - 1) * rank_discount(r);
  }
  return sum;
}

}  // namespace

double ndcg(std::span<const uint8_t> ranked, size_t at) {
  std::vector<uint8_t> best(ranked.begin(), ranked.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  const double ideal = dcg(best, at);
  return ideal > 0 ? dcg(ranked, at) / ideal : 0;
}

std::optional<double> auc(std::span<const uint8_t> ranked) {
  size_t positives = 0, ordered = 0;
  for (const uint8_t label : ranked) {
    if (label > 0) {
      ++positives;
    } else {
      ordered += positives;
    }
  }
  const size_t pairs = positives * (ranked.size() - positives);
  if (pairs == 0) return std::nullopt;
  return double(ordered) / double(pairs);
}

}  // namespace podium
