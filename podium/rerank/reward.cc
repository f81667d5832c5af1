#include "podium/rerank/reward.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::rerank {
namespace {

constexpr double kEpsilon = 1e-12;

// The ranking value itself, in [0, 1]; 0 where AUC is undefined.
double rank_value(std::span<const uint8_t> gains, std::span<const int> answer,
                  const RewardOptions& options) {
  if (options.rank == RankReward::kAuc || options.rank == RankReward::kAucGain) {
    return auc(gains, answer).value_or(0);
  }
  return ndcg(gains, answer, options.at);
}

size_t first_positive(std::span<const uint8_t> gains, std::span<const int> answer) {
  size_t rank = 0;
  while (rank < answer.size() && gains[answer[rank]] == 0) ++rank;
  return rank;
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

double rank_gain(std::span<const uint8_t> gains, std::span<const int> answer) {
  PODIUM_CHECK(is_permutation_of(answer, gains.size()));
  size_t before = 0;
  while (before < gains.size() && gains[before] == 0) ++before;
  if (before == gains.size()) return 0;
  return (double(before) - double(first_positive(gains, answer))) / double(gains.size());
}

double reward(std::span<const uint8_t> gains, std::span<const int> answer,
              const RewardOptions& options) {
  if (!is_permutation_of(answer, gains.size())) return 0;
  std::vector<int> input(gains.size());
  std::iota(input.begin(), input.end(), 0);
  const double of_input = rank_value(gains, input, options);
  const bool optimal = of_input > 1 - kEpsilon;
  const bool gated = options.gate == RewardGate::kConditional;
  if (options.rank == RankReward::kAuc || options.rank == RankReward::kNdcg) {
    const bool copied = std::equal(answer.begin(), answer.end(), input.begin());
    if (gated && copied && !optimal) return options.alpha;
    return rank_value(gains, answer, options) + options.alpha;
  }
  const double gain = rank_value(gains, answer, options) - of_input;
  const bool earned = gain > kEpsilon || (optimal && gain > -kEpsilon);
  return gain + (gated && !earned ? 0 : options.alpha);
}

}  // namespace podium::rerank
