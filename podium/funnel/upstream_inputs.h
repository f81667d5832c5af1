// What the upstream is trained on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/data/split.h"
#include "podium/funnel/upstream.h"

namespace podium::funnel {

// What one phase brings.
struct PhaseInputs {
  fs::path sasrec, hstu;  // directories of its sequence models, each empty where there is none
  // Where the order is kGenerativeOrder: what was found for each target, best first.
  std::vector<std::vector<data::ItemIndex>> lists = {};  // [targets][items]
};

struct UpstreamInputs {
  const data::Dataset* dataset = nullptr;
  const data::Split* split = nullptr;
  std::span<const float> item_vectors;  // unit rows [items, dim]
  size_t dim = 0;
  PhaseInputs slates, valid, test;
  size_t k = 10;
  uint64_t seed = 1;
  int threads = 1;
  UpstreamOptions options;
};

}  // namespace podium::funnel
