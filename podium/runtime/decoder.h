// Decodes the rollouts of a few slates in lockstep: one prefill a slate, whose pages its samples
// share, then one ragged forward pass a step over all live rollouts.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "podium/runtime/forward.h"
#include "podium/runtime/prefix_cache.h"

namespace podium::runtime {

struct DecodeTask {
  const Model& model;
  PagePool& pool;
  PrefixCache* prefixes;  // may be null
  const rerank::PromptContext& context;
  const DecodeOptions& options;
  std::span<const TokenId> trace_tokens;  // allowed in a trace; ascending
};

// Fills rollouts[i * samples + s]. Throws Error when a prompt and its answer exceed the model's
// positions.
void decode_group(const DecodeTask& task, std::span<const rerank::Slate> slates,
                  std::span<Rollout> rollouts);

}  // namespace podium::runtime
