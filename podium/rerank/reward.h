// Verifiable rewards of a re-ranked slate (TR eq. 5-7; see docs/gr2.md). Pure functions.
//
// An answer is a permutation of 0..K-1: answer[r] = index, in input order, of the candidate put at
// rank r. gains[i] = label of the candidate at input position i.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace podium::rerank {

// True if answer holds each of 0..k-1 once: Omega(o).
bool is_permutation_of(std::span<const int> answer, size_t k);

// Share of (positive, negative) pairs in the right order, in [0, 1]; nullopt if there is no
// positive or no negative.
std::optional<double> auc(std::span<const uint8_t> gains, std::span<const int> answer);

// NDCG of the answer (base/ndcg.h).
double ndcg(std::span<const uint8_t> gains, std::span<const int> answer, size_t at);

// v1's single-positive form: (rank before - rank after) / K, in (-1, 1).
double rank_gain(std::span<const uint8_t> gains, std::span<const int> answer);

enum class RankReward { kAuc, kNdcg, kAucGain, kNdcgGain };
// kPlain: R_rank + alpha for every valid answer. kConditional: the gates against copying, below.
enum class RewardGate { kPlain, kConditional };

struct RewardOptions {
  RankReward rank = RankReward::kNdcgGain;  // *Gain: minus the input order's own value
  RewardGate gate = RewardGate::kConditional;
  double alpha = 0.1;  // weight of the format reward
  size_t at = 10;      // the K of NDCG@K
};

// 0 for an invalid answer, else R_rank + alpha, but with kConditional:
// - R_rank is a value: only alpha for the input order copied although it is not optimal (TR);
// - R_rank is a gain: alpha only for a gain above 0, or 0 where the input order was optimal (v1's
//   form). An answer no better than a copy, the last two swapped say, earns no more than a copy.
double reward(std::span<const uint8_t> gains, std::span<const int> answer,
              const RewardOptions& options);

}  // namespace podium::rerank
