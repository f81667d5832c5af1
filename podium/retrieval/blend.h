// Blending: each source gives its best items in turn up to its quota, duplicates merge.
#pragma once

#include "podium/base/option_range.h"
#include "podium/retrieval/sources.h"

namespace podium::retrieval {

struct BlendOptions {
  int quota = 60;   // best items taken from each source
  int total = 150;  // candidates after merging
  template <class V>
  void visit(V& v) {
    v("quota", quota, "best items taken from each source", between(1, 100000));
    v("total", total, "candidates after duplicates have merged", between(2, 100000));
  }
};

struct Blended {
  ItemIndex item;
  std::vector<float> score;  // [sources] NaN where the source did not name the item
  std::vector<int> rank;     // [sources] from 0, -1 where it did not
};

// In order of the round in which an item first came up (rank 0 of every source, then rank 1 ..).
// The query is asked under the sources' rule for seen items.
std::vector<Blended> blend(const Sources& sources, const Query& query, const BlendOptions& options);

// The same with any sources, which get the query as it is.
std::vector<Blended> blend_lists(const std::vector<const Retriever*>& sources, const Query& query,
                                 const BlendOptions& options);

}  // namespace podium::retrieval
