// What is known of the items beside who chose them: what lists are diversified by, measured by and
// rewarded for as a whole (list_measures.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/data/split.h"

namespace podium::data {

// Rows are the dataset's items.
struct ItemFacts {
  std::vector<std::vector<uint32_t>> categories;  // [items] distinct, ascending, one number a name
  std::vector<float> novelty;    // [items] -log2 of its share of the view's events, over that of
                                 // one event; 0 to 1; an item without events counts as one
  std::vector<float> freshness;  // [items] its first event in the view between the earliest (0) and
                                 // the latest (1) of all items'; 1 without one
  std::vector<float> price;      // [items] not below 0; NaN when unknown
  std::vector<uint32_t> group;   // [items] one number a brand; 0: of no brand
  std::span<const float> vectors = {};  // [items, dim] unit rows, or zero; empty: none
  size_t dim = 0;

  size_t items() const { return categories.size(); }
  std::span<const float> vector(ItemIndex item) const { return vectors.subspan(item * dim, dim); }
};

// Only from the catalogue and the view's events. vectors, where given, must outlive the facts.
ItemFacts item_facts(const View& view, std::span<const float> vectors = {}, size_t dim = 0);

// From -1 to 1: the cosine of two items' vectors or, without vectors, the share of their categories
// that they have in common (Jaccard); 0 where neither says anything.
double similarity(const ItemFacts& facts, ItemIndex a, ItemIndex b);

}  // namespace podium::data
