// What labels say of a re-ranked slate (TR eq. 5-7; see docs/gr2.md); slate_reward.h makes rewards
// of it. Pure functions.
//
// An answer is a permutation of 0..K-1: answer[r] = index, in input order, of the candidate put at
// rank r. gains[i] = label of the candidate at input position i.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace podium::rerank {

// True if answer holds each of 0..k-1 once: Omega(o).
bool is_permutation_of(std::span<const int> answer, size_t k);

// AUC of the answer (base/ndcg.h); nullopt if there is no positive or no negative.
std::optional<double> auc(std::span<const uint8_t> gains, std::span<const int> answer);

// NDCG of the answer (base/ndcg.h).
double ndcg(std::span<const uint8_t> gains, std::span<const int> answer, size_t at);

// v1's single-positive form, (rank before - rank after) / K, is this value's gain over the input
// order: 1 - (rank of the first positive, from 0) / K; 0 without a positive.
double rank_value(std::span<const uint8_t> gains, std::span<const int> answer);

// Kendall's tau of an answer and the input order: (pairs that keep their order - pairs that change
// it) / pairs. 1: a copy, -1: the reverse; 1 for fewer than two.
double kendall_tau(std::span<const int> answer);

}  // namespace podium::rerank
