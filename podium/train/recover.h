// Recovery of a pruned policy by distillation: on training slates, along the answer that the
// unpruned policy gives, the cross entropy of its choices among the candidates left and the
// smaller policy's, at each of the first ranks, weighed as NDCG counts them. No label enters.
#pragma once

#include "podium/base/json.h"
#include "podium/train/policy_data.h"
#include "podium/train/prune_options.h"

namespace podium::train {

// The answer without a trace as an example: a scored token for each candidate that each of the
// first ranks may choose, with the teacher's probability times the rank's share for its weight.
// order: the teacher's. The weights of a slate add up to 1.
Example distilled_example(const rerank::PromptContext& context, const rerank::Slate& slate,
                          std::span<const int> order, size_t ranks, const Qwen3Impl& teacher,
                          const Frozen& frozen);

// Importance, pruning and recovery: `model` becomes the smaller policy that validates best.
// Resumes from job.work. Returns what stats.json says.
Json prune(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
           const PruneOptions& options, const StageJob& job);

}  // namespace podium::train
