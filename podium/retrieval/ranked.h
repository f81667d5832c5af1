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

// Adds items that came after training to those that a search of the `items` trained ones has found.
// score(item): what found scores are compared with.
template <class Score>
void find_added(const Query& query, size_t items, size_t n, const Score& score,
                std::vector<Scored>& found) {
  if (query.added.empty()) return;
  const bool hide = query.seen == SeenRule::kExclude;
  const auto seen = hide ? query.added_seen : std::span<const ItemIndex>();
  for (size_t i = 0; i < query.added.size(); ++i) {
    const auto item = ItemIndex(items + i);
    if (std::find(seen.begin(), seen.end(), item) != seen.end()) continue;
    found.push_back({item, score(*query.added[i])});
  }
  keep_best(found, n);
}

}  // namespace podium::retrieval
