// Supervised fine-tuning on a teacher's accepted traces (docs/gr2.md sections 4 and 5):
// L = -lambda_r sum log P(trace tokens) - lambda_o sum log P(answer tokens), over the masks of
// constrained decoding, divided by the batch's summed weights. With label_weight also, of every
// slate whether or not the teacher found the positive, -lambda_l log P(the positive comes next)
// without a trace, after each of the first ranks: the list-wise soft-max. With form_weight also, of
// every token, -lambda_f log P(one of those that may come) where no grammar helps.
#pragma once

#include "podium/base/json.h"
#include "podium/rerank/traces.h"
#include "podium/train/policy_data.h"
#include "podium/train/sft_options.h"

namespace podium::train {

enum class Teaches : uint8_t {
  kAnswer,  // the teacher's trace and order, and its form
  kLabels,  // the user's choice; of teacher.order, which is drawn, the form
  kForm,    // of the teacher's answer only the form: it was not accepted
};

// What one slate teaches in one epoch.
struct SftSample {
  rerank::Slate slate;  // as the trace shows it
  rerank::TeacherTrace teacher;
  bool with_trace;
  Teaches teaches = Teaches::kAnswer;
};
// The next draw of every slate, in the slates' order; with label_weight its labels too, which then
// teach all answers without a trace. A function of its arguments.
std::vector<SftSample> sft_epoch(const std::vector<rerank::Slate>& slates,
                                 const std::vector<rerank::Trace>& traces,
                                 const SftOptions& options, uint64_t seed, int epoch);

Example sft_example(const rerank::PromptContext& context, const SftSample& sample,
                    const SftOptions& options);

// Trains in place, resumes from job.work. Returns what stats.json says: the traces' accept rate
// and coverage, and the validation with and without a trace. Throws Error when no trace of the
// slates was accepted.
Json sft(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
         const std::vector<rerank::Trace>& traces, const SftOptions& options, const StageJob& job);

}  // namespace podium::train
