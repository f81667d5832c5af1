// Small pieces that every source uses.
#pragma once

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

// The order of results: descending score, ties by ascending item.
inline bool better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.item < b.item;
}

// Keeps the n best, in order.
inline void keep_best(std::vector<Scored>& found, size_t n) {
  n = std::min(n, found.size());
  std::partial_sort(found.begin(), found.begin() + std::ptrdiff_t(n), found.end(), better);
  found.resize(n);
}

// The items that no source may return.
inline std::unordered_set<ItemIndex> hidden_items(const Query& query) {
  if (query.seen != SeenRule::kExclude) return {};
  return {query.history.begin(), query.history.end()};
}

}  // namespace podium::retrieval
