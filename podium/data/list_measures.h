// Measures of a ranked list as a whole, each from 0 to 1. items: best first; the first `at` count.
#pragma once

#include <cstdint>
#include <span>

#include "podium/data/item_facts.h"

namespace podium::data {

// alpha-nDCG (Clarke et al., 2008) with alpha 1/2: the nuggets are categories, and only the
// relevant items (gains[r] > 0, at rank r) hold them; the n-th item of a category gains 2^-(n-1).
// An item without categories is a nugget of its own. Over the value of the greedy order, as the
// best is NP-hard to find; at most 1, and 0 where nothing is relevant.
double alpha_ndcg(const ItemFacts& facts, std::span<const ItemIndex> items,
                  std::span<const uint8_t> gains, size_t at);

// Share of all the list's categories that its first `at` items hold; 0 without any.
double category_coverage(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at);

// Mean of 1 - similarity over the pairs of the first `at` (Ziegler et al., 2005). A negative
// similarity counts as 0. 0 for fewer than two items.
double intra_list_distance(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at);

// Mean of values (each 0 to 1) by the discounts of NDCG (base/ndcg.h).
double discounted_mean(std::span<const double> values, size_t at);

// 1 - half the sum over groups of |share of exposure - share of the list's items|, where a rank's
// exposure is NDCG's discount (demographic parity: Singh and Joachims, 2018).
double exposure_parity(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at);

}  // namespace podium::data
