// What the sources list for one history, to be asked about items that somebody else chose.
#pragma once

#include <span>
#include <vector>

#include "podium/retrieval/blend.h"

namespace podium::funnel {

// Immutable and thread-safe.
class SourceLists {
 public:
  SourceLists(const retrieval::Sources& sources, const retrieval::Query& query,
              const retrieval::BlendOptions& options);

  // [items], as blend() tells of those that are in the blend; of the others nothing is known.
  std::vector<retrieval::Blended> of(std::span<const data::ItemIndex> items) const;
  size_t bytes() const;

 private:
  size_t sources_ = 0;
  std::vector<data::ItemIndex> items_;  // ascending
  std::vector<float> scores_;           // [items, sources]
  std::vector<int> ranks_;              // [items, sources]
};

}  // namespace podium::funnel
