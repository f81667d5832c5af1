// What the upstream is trained on.
#pragma once

#include <cstdint>
#include <span>

#include "podium/data/split.h"
#include "podium/funnel/upstream.h"

namespace podium::funnel {

// Directories of one phase's sequence models, each empty where there is none.
struct SequenceModels {
  fs::path sasrec, hstu;
};

struct UpstreamInputs {
  const data::Dataset* dataset = nullptr;
  const data::Split* split = nullptr;
  std::span<const float> item_vectors;  // unit rows [items, dim]
  size_t dim = 0;
  SequenceModels slates, valid, test;
  size_t k = 10;
  uint64_t seed = 1;
  int threads = 1;
  UpstreamOptions options;
};

}  // namespace podium::funnel
