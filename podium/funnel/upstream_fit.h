// Training the upstream, honestly: the three phases of a split, the cross-fitted slates, the
// results of every source.
//
//   slates  sources fitted on its view; their candidates for its targets train the ranker. The
//           policy's training slates of users of fold A are ordered by a ranker trained on the
//           users of the other fold only.
//   valid   sources of its view, ranker of all slates targets
//   test    the same; its sources and that ranker are what a server gets
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/data/split.h"
#include "podium/funnel/upstream_inputs.h"

namespace podium::funnel {

// The fold (0 or 1) of a user in cross-fitting.
int fold_of(data::UserIndex user, uint64_t seed);

// Writes into dir:
//   slates/{slates,valid,test}/   a slate for every target of the phase (see rerank/slate.h) that
//                                 has two candidates or more
//   {valid,test}.json             eval::SavedResults of every source and of "upstream"
//   serving/                      an Upstream of the test phase
//   upstream.json                 recall of the blend, feature gains; a phase's targets, and how
//                                 many of them were seen before or have too few candidates
// Throws Error with the cause when too few targets are left to learn from.
void fit_upstream(const UpstreamInputs& inputs, const fs::path& dir);

// The slate of each target of a phase, from what fit_upstream wrote; without candidates where there
// is none. Throws Error when a slate belongs to no target.
std::vector<rerank::Slate> slates_by_target(const fs::path& dir, const data::Phase& phase);

}  // namespace podium::funnel
