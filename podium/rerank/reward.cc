#include "podium/rerank/reward.h"

#include <algorithm>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::rerank {

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
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  size_t positives = 0, ordered = 0;
  for (int position : answer) {
    if (gains[position] > 0) {
      ++positives;
    } else {
      ordered += positives;
    }
  }
  const size_t pairs = positives * (gains.size() - positives);
  if (pairs == 0) return std::nullopt;
  return double(ordered) / double(pairs);
}

double ndcg(std::span<const uint8_t> gains, std::span<const int> answer, size_t at) {
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  std::vector<uint8_t> ranked(gains.size());
  for (size_t r = 0; r < ranked.size(); ++r) ranked[r] = gains[size_t(answer[r])];
  return podium::ndcg(ranked, at);
}

double rank_value(std::span<const uint8_t> gains, std::span<const int> answer) {
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  const auto first = std::find_if(answer.begin(), answer.end(),
                                  [&](int position) { return gains[size_t(position)] > 0; });
  return 1 - double(first - answer.begin()) / double(gains.size());
}

}  // namespace podium::rerank
