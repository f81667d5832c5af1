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

double kendall_tau(std::span<const int> answer) {
  if (answer.size() < 2) return 1;
  int64_t kept = 0, pairs = 0;
  for (size_t i = 0; i < answer.size(); ++i) {
    for (size_t j = i + 1; j < answer.size(); ++j) {
      kept += answer[i] < answer[j] ? 1 : -1;
      ++pairs;
    }
  }
  return double(kept) / double(pairs);
}

}  // namespace podium::rerank
