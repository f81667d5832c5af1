// Normalised discounted cumulative gain (Jarvelin and Kekalainen, 2002), and AUC, of labels in the
// order in which their items stand: the one formula of each.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace podium {

// What a gain at this rank, from 0, is worth.
inline double rank_discount(size_t rank) { return 1 / std::log2(double(rank) + 2); }

// ranked[r]: the label of what stands at rank r; its gain is 2^label - 1. The ranks before `at`
// count, against those of the best order. In [0, 1]; 0 when all labels are 0.
double ndcg(std::span<const uint8_t> ranked, size_t at);

// Share of (positive, negative) pairs in the right order, in [0, 1]; nullopt if there is no
// positive or no negative.
std::optional<double> auc(std::span<const uint8_t> ranked);

}  // namespace podium
