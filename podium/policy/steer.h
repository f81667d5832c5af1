// Orders that are bent to meet a target in their first places, at the least loss of score.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace podium::policy {

// Moves items so that the mean of values over the first `first` is at least `bound`: an epsilon
// constraint. While it is below, the exchange of one of the first for one of the others that costs
// the least score for what it adds; then those that win score back and keep the bound. Who stays
// among the first keeps the order. As near to the bound as can be where it cannot be met.
//   order   indices, best first
//   scores, values   [items] by index
void meet_mean(std::span<int> order, std::span<const double> scores, std::span<const double> values,
               size_t first, double bound);

// Exposure of a place, from 0: 1 / log2(place + 2) (rank_discount of base/ndcg.h).
struct ExposureTarget {
  std::span<const std::vector<uint32_t>> groups;  // [items] by index: of which groups; maybe none
  std::span<const double> shares;                 // [groups] wanted of all the exposure
  double tolerance = 0;
};

// Share of the exposure of the first `first` places that each group has; an item of several gives
// to each in equal parts. [groups]
std::vector<double> exposure_shares(std::span<const int> order, const ExposureTarget& target,
                                    size_t first);

// By how much the shares miss the targets beyond the tolerance, summed over the groups; 0: all met.
double exposure_missed(std::span<const double> shares, const ExposureTarget& target);

// Exchanges items until no group misses its share, or no exchange brings it nearer: each time the
// one that costs the least discounted score for what it mends. Meets what single exchanges can
// meet; a calibrated list as in Steck (2018), its divergence here the sum of misses.
void meet_exposure(std::span<int> order, std::span<const double> scores,
                   const ExposureTarget& target, size_t first);

}  // namespace podium::policy
