// Orders that trade relevance for variety: the classic re-rankers that a learnt one is measured by.
//
// A slate's relevances are scaled to 0 .. 1 within it; where they are all the same, the order given
// counts. trade: 0 is only by relevance, 1 only by variety; ties keep the order given.
#pragma once

#include <span>
#include <vector>

#include "podium/data/item_facts.h"

namespace podium::policy {

// Maximal marginal relevance (Carbonell and Goldstein, 1998): next comes who has the largest
//   (1 - trade) x relevance - trade x the largest similarity to what stands already.
// Returns order[r] = index into items.
std::vector<int> mmr_order(const data::ItemFacts& facts, std::span<const data::ItemIndex> items,
                           std::span<const float> relevance, double trade);

// Greedy MAP of a determinantal point process (Chen et al., 2018, by their incremental Cholesky
// factor): next comes who has the largest
//   (1 - trade) x relevance + trade x log(how much it adds to the similarities' determinant).
// Similarities are shrunk by a tenth, so that of two items alike the second adds little but
// something. They form a positive definite matrix whether by vectors or by categories.
std::vector<int> dpp_order(const data::ItemFacts& facts, std::span<const data::ItemIndex> items,
                           std::span<const float> relevance, double trade);

}  // namespace podium::policy
