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

}  // namespace podium
