// Which items of a slate are like one another: near-duplicates, and orders for variety.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

struct Duplicate {
  int item = 0, like = 0;  // indices; `like` stays
};

// By MinHash of the field's text. order: who comes first stays. An item whose field is no text, or
// has no word, is like none.
std::vector<Duplicate> near_duplicates(const Duplicates& rule, std::span<const int> order,
                                       const Column& column);

// Puts the first rule.first of the order in that of the rule's method (diversify.h). Similarity is
// the share in common (Jaccard) of all the values of rule.fields or, without fields, the cosine of
// the items' vectors. False, and nothing is changed, where no item has any of them.
bool diversify(const Diversity& rule, std::span<int> order, std::span<const double> scores,
               Columns& columns, const ItemFields& fields);

}  // namespace podium::policy
