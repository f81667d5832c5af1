// Generative retrieval (TIGER 2305.05065, LC-Rec 2311.09049): beam search for the SIDs that the
// policy expects next, over the prefixes that exist in the catalogue. One ragged forward pass a
// level over the beams of several requests.
//
//   log P(SID) = sum over levels k of  z_k[c_k] - log sum over codes c of exp z_k[c]
//
// z_k: the policy's logits after the first k codes. The sum runs over the codes that lead to an
// item of the catalogue (RetrieveOptions::over_trie), as training's loss does, so that P is one
// distribution over the items; those of the history are left out afterwards. A policy that was
// trained over all tokens needs the sum over all codes of the level: with it a sum over fewer
// favours a prefix for having few items (R@10 falls by a third, docs/history.md).
// Each level keeps the `beam` likeliest prefixes, equals in order of SID; items that share a SID
// share its P.
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
