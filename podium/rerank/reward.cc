#include "podium/rerank/reward.h"

#include <algorithm>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::rerank {
namespace {

std::vector<uint8_t> ranked_gains(std::span<const uint8_t> gains, std::span<const int> answer) {
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  std::vector<uint8_t> ranked;
  for (const int position : answer) ranked.push_back(gains[size_t(position)]);
  return ranked;
}

}  // namespace

bool is_permutation_of(std::span<const int> answer, size_t k) {
  if (answer.size() != k) return false;
  std::vector<bool> seen(k, false);
  for (int position : answer) {
    if (position < 0 || size_t(position) >= k || seen[position]) return false;
    seen[position] = true;
  }
  return true;
}

std::optional<double> auc(std::span<const uint8_t> gains, std::span<const int> answer) {
  return podium::auc(ranked_gains(gains, answer));
}

double ndcg(std::span<const uint8_t> gains, std::span<const int> answer, size_t at) {
  return podium::ndcg(ranked_gains(gains, answer), at);
}

double rank_value(std::span<const uint8_t> gains, std::span<const int> answer) {
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  const auto first = std::find_if(answer.begin(), answer.end(),
                                  [&](int position) { return gains[size_t(position)] > 0; });
  return 1 - double(first - answer.begin()) / double(gains.size());
}

}  // namespace podium::rerank
