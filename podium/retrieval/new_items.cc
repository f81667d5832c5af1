#include "podium/retrieval/new_items.h"

#include <algorithm>

#include "podium/retrieval/ranked.h"

namespace podium::retrieval {

NewItems::NewItems(const Content& content, const Popularity& popularity) : content_(content) {
  const size_t dim = content.dim();
  std::vector<float> rows;
  for (ItemIndex item = 0; item < ItemIndex(content.items()); ++item) {
    if (popularity.count(item) >= kKnownFrom) continue;
    items_.push_back(item);
    const auto vector = content.vector(item);
    rows.insert(rows.end(), vector.begin(), vector.end());
  }
  if (!items_.empty()) vectors_ = {rows.data(), items_.size(), dim, kernels::Precision::kFp32};
}

std::vector<Scored> NewItems::retrieve(const Query& query, size_t n) const {
  const auto newest = query.history.last(std::min(kNewest, query.history.size()));
  if (newest.empty()) return {};
  const size_t dim = content_.dim(), items = items_.size();
  std::vector<float> read, alike(newest.size() * items);
  for (const ItemIndex item : newest) {
    const auto vector = content_.vector(item);
    read.insert(read.end(), vector.begin(), vector.end());
  }
  kernels::LinearInput input;
  input.assign(read.data(), newest.size(), dim);
  if (items > 0) vectors_.apply(input, alike.data());
  const auto hidden = hidden_items(query);
  std::vector<Scored> found;
  for (size_t i = 0; i < items; ++i) {
    if (hidden.contains(items_[i])) continue;
    float most = alike[i];
    for (size_t r = 1; r < newest.size(); ++r) most = std::max(most, alike[r * items + i]);
    found.push_back({items_[i], most});
  }
  keep_best(found, n);
  find_added(
      query, content_.items(), n,
      [&](const AddedItem& added) {
        float most = -1;
        for (const ItemIndex item : newest) {
          const auto vector = content_.vector(item);
          most = std::max(most, content_.similarity(added.vector, vector));
        }
        return most;
      },
      found);
  std::erase_if(found, [](const Scored& scored) { return scored.score <= 0; });
  return found;
}

}  // namespace podium::retrieval
