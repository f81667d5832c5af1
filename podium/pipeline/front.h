// The front of accuracy against variety of a run's slates: upstream's order, MMR and DPP over a
// grid of their trade-off (policy/diversify.h), and the orders of the run's own policies.
#pragma once

#include <string>

#include "podium/base/files.h"
#include "podium/data/dataset.h"
#include "podium/eval/list_metrics.h"

namespace podium::pipeline {

struct FrontRequest {
  fs::path run;
  std::string split = "test";  // or valid
  size_t at = 10;              // ranks that count
  int threads = 1;
};

// Over the slates that hold a positive and a negative. Similarity is that of the item vectors of
// the run. Throws Error when the run has no such slates, or they are of another dataset.
eval::Front diversity_front(const data::Dataset& dataset, const FrontRequest& request);

}  // namespace podium::pipeline
