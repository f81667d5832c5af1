// Generative retrieval (TIGER 2305.05065, LC-Rec 2311.09049): beam search for the SIDs that the
// policy expects next, over the prefixes that exist in the catalogue. One ragged forward pass a
// level over the beams of several requests.
//
//   log P(SID) = sum over levels k of  z_k[c_k] - log sum over the level's codes c of exp z_k[c]
//
// z_k: the policy's logits after the first k codes. The sum runs over all codes of the level;
// those that lead to no item of the catalogue outside the history are left out afterwards. Were the
// sum to run over the codes left, a prefix with few items would be favoured for having few (its
// last codes would cost nothing): R@10 falls by a third (docs/history.md). Each level keeps the
// `beam` likeliest prefixes, equals in order of SID; items that share a SID share its P.
#pragma once

#include <span>
#include <vector>

#include "podium/runtime/forward.h"
#include "podium/runtime/prefix_cache.h"
#include "podium/sid/trie.h"

namespace podium::runtime {

struct BeamTask {
  const Model& model;
  PagePool& pool;
  PrefixCache* prefixes;  // may be null
  const rerank::PromptContext& context;
  const sid::SidTrie& trie;
  const RetrieveOptions& options;
};

// results[i]: what the i-th history leads to, best first. Throws Error when a history and a SID
// exceed the model's positions.
void beam_search(const BeamTask& task,
                 std::span<const std::span<const rerank::ItemIndex>> histories,
                 std::span<std::vector<Retrieved>> results);

}  // namespace podium::runtime
