// Supervised fine-tuning on rejection-sampled traces of the evidence teacher (docs/gr2.md sections
// 4 and 5): L = -lambda_r sum log P(trace tokens) - lambda_o sum log P(answer tokens), over the
// masks of constrained decoding, divided by the batch's summed weights.
#pragma once

#include "podium/base/json.h"
#include "podium/rerank/trace.h"
#include "podium/rerank/train_options.h"
#include "podium/train/policy_data.h"

namespace podium::train {

// What one slate teaches in one epoch.
struct SftSample {
  rerank::Slate slate;  // candidates perhaps shuffled
  rerank::TeacherTrace teacher;
  bool with_trace;
};
struct SftEpoch {
  std::vector<SftSample> samples;  // slates without an accepted trace left out
  double accept_rate, coverage;    // of the rejection sampling
};
// A function of its arguments: traces are sampled anew each epoch.
SftEpoch sft_epoch(const rerank::PromptContext& context, const std::vector<rerank::Slate>& slates,
                   const rerank::SftOptions& options, const rerank::TeacherOptions& teacher,
                   uint64_t seed, int epoch);

Example sft_example(const rerank::PromptContext& context, const SftSample& sample,
                    const rerank::SftOptions& options);

// Trains in place, resumes from job.work. Returns what stats.json says: accept rate and coverage,
// and the validation with and without a trace.
Json sft(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
         const rerank::SftOptions& options, const rerank::TeacherOptions& teacher,
         const StageJob& job);

}  // namespace podium::train
