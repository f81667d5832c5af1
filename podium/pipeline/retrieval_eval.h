// How well a policy retrieves by itself: beam search for the semantic IDs that it expects next
// (runtime/beam.h), under full ranking, items that the user has already left out.
#pragma once

#include "podium/base/files.h"
#include "podium/data/split.h"
#include "podium/eval/results.h"
#include "podium/runtime/types.h"

namespace podium::pipeline {

struct RetrievalRequest {
  fs::path
      policy;    // a Hugging Face directory with its tokenizer, as `podium-train midtrain` writes
  fs::path sid;  // the semantic IDs that it was trained on
  runtime::RetrieveOptions options;
  int threads = 1;
  size_t listed = 10;  // items kept of a list
};

// phase: of events (Phase::by_events). The lists for its targets as a stage named "generative";
// milliseconds: the mean a list, on one thread. A target that the beam misses has rank -1. Throws
// Error when the policy, the semantic IDs and the dataset do not belong together.
eval::StageResult retrieve_by_policy(const data::Dataset& dataset, const data::Phase& phase,
                                     const RetrievalRequest& request);

}  // namespace podium::pipeline
