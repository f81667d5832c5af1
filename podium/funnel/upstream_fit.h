// Training the upstream, honestly: the three phases of a split, the cross-fitted slates, the
// results of every source.
//
//   slates  sources fitted on its view; their candidates for its targets train the ranker. The
//           policy's training slates of users of fold A are ordered by a ranker trained on the
//           users of the other fold alone.
//   valid   sources of its view, ranker of all slates targets
//   test    the same; its sources and that ranker are what a server gets
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "podium/data/split.h"
#include "podium/funnel/upstream.h"

namespace podium::funnel {

struct UpstreamInputs {
  const data::Dataset* dataset = nullptr;
  const data::Split* split = nullptr;
  std::span<const float> item_vectors;  // unit rows [items, dim]
  size_t dim = 0;
  fs::path sasrec_slates, sasrec_valid,
      sasrec_test;  // directories with sasrec.safetensors, or empty
  size_t k = 10;
  uint64_t seed = 1;
  int threads = 1;
  UpstreamOptions options;
};

// The fold (0 or 1) of a user in cross-fitting.
int fold_of(data::UserIndex user, uint64_t seed);

// Writes into dir:
//   slates/{slates,valid,test}/   a slate for every target of the phase (see rerank/slate.h)
//   {valid,test}.json             eval::SavedResults of every source and of "upstream"
//   serving/                      an Upstream of the test phase
//   upstream.json                 recall of the blend, folds, groups, feature gains
void fit_upstream(const UpstreamInputs& inputs, const fs::path& dir);

}  // namespace podium::funnel
