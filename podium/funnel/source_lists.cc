#include "podium/funnel/source_lists.h"

#include <algorithm>

namespace podium::funnel {

SourceLists::SourceLists(const retrieval::Sources& sources, const retrieval::Query& query,
                         const retrieval::BlendOptions& options)
    : sources_(sources.all().size()) {
  auto blended = retrieval::blend(sources, query, options);
  std::ranges::sort(blended, std::ranges::less(), &retrieval::Blended::item);
  for (const retrieval::Blended& one : blended) {
    items_.push_back(one.item);
    scores_.insert(scores_.end(), one.score.begin(), one.score.end());
    ranks_.insert(ranks_.end(), one.rank.begin(), one.rank.end());
  }
}

std::vector<retrieval::Blended> SourceLists::of(std::span<const data::ItemIndex> items) const {
  std::vector<retrieval::Blended> told;
  for (const data::ItemIndex item : items) {
    told.push_back({item, {}, {}});
    const auto found = std::ranges::lower_bound(items_, item);
    if (found == items_.end() || *found != item) continue;
    const auto row = (found - items_.begin()) * std::ptrdiff_t(sources_);
    const auto end = row + std::ptrdiff_t(sources_);
    told.back().score.assign(scores_.begin() + row, scores_.begin() + end);
    told.back().rank.assign(ranks_.begin() + row, ranks_.begin() + end);
  }
  return told;
}

size_t SourceLists::bytes() const {
  return sizeof(*this) + items_.capacity() * sizeof(items_[0]) +
         scores_.capacity() * sizeof(scores_[0]) + ranks_.capacity() * sizeof(ranks_[0]);
}

}  // namespace podium::funnel
