// Scores of a slate: how relevant each item is within it, and what rules add.
#pragma once

#include <span>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

// [items] by index, 1 (the best) to 0 over the indices in `order`, best first; 0 for the others.
// By the scores, scaled, where they agree with the order: finite, never rising, not all the same.
// Else the order itself counts: 1 - place / n.
std::vector<double> relevance(std::span<const RankedItem> items, std::span<const int> order);

// What a boost adds, [items] by index; 0 for who does not match its condition. Of those who do:
//   half_life  weight x 2^-(age / half_life), an age below 0 counting as 0
//   field      weight x the field's number, scaled from 0 to 1 among them
//   neither    weight
// Whose field is unknown gets the mean of the others': it neither wins nor loses by that.
std::vector<double> boost_gains(const Boost& boost, std::span<const int> order, Columns& columns,
                                const RulesContext& context);

}  // namespace podium::policy
