// The arithmetic of DAPO (2503.14476; docs/gr2.md section 7): advantages of a group of rollouts,
// the clipped surrogate, its gradients, and divergences from frozen policies. The loop is rl.h.
//
// A divergence is k3 = exp(d) - d - 1, d = log p_other - log p, of every sampled token: an
// estimate, never negative, of KL(p || other). d is held at 10 nats at most.
#pragma once

#include <span>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/runtime/engine.h"
#include "podium/train/gradient.h"
#include "podium/train/policy_data.h"
#include "podium/train/rl_options.h"

namespace podium::train {

// Empty when all rewards are equal: nothing to learn from.
std::vector<float> group_advantages(std::span<const double> rewards);

// Credit by rank (Rank-GRPO, 2510.20150): for every rollout and rank, the NDCG that its names from
// this rank on add, minus the group's mean at this rank, over the group's deviation at all ranks.
// [rollouts][K]; empty when no order gains more than another.
std::vector<std::vector<float>> rank_advantages(std::span<const uint8_t> gains,
                                                std::span<const runtime::Rollout> rollouts);

// Soft punishment of long traces (DAPO, eq. 13): 0 up to `from` tokens, then down in a line to -1
// at `most`. 0 for every trace where from >= most, as none is longer than `most`.
double overlong_penalty(size_t tokens, int from, int most);

// Tokens of the rollout's trace, without the one that ends it.
size_t trace_tokens(const runtime::Rollout& rollout, text::TokenId open_answer);

// min(r A, clip(r) A) with r = exp(logprob - old), [tokens].
torch::Tensor clipped_surrogate(const torch::Tensor& logprob,    // [tokens]
                                const torch::Tensor& old,        // [tokens]
                                const torch::Tensor& advantage,  // [tokens]
                                double low, double high);

struct RolloutGroup {
  rerank::Slate slate;
  std::vector<runtime::Rollout> rollouts;
  std::vector<double> rewards;
  std::vector<float> advantages;                 // empty: no spread
  std::vector<std::vector<float>> by_rank = {};  // [rollouts][K], of names; empty: advantages count
};

// The prompt once, its answers side by side; weight = advantage, old_logprob as sampled.
Example group_example(const rerank::PromptContext& context, const RolloutGroup& group,
                      bool with_trace, int max_trace);

// Sets the model's gradients to those of minus the surrogate, of teacher_weight times the
// divergence from the examples' teacher_logprob, and of options.kl_weight times the one from their
// start_logprob. statistics: as SurrogateSum says; largest: of |log p - old_logprob|, nats.
enum SurrogateSum : size_t {
  kClipped,   // tokens
  kTokens,    // tokens
  kSurprise,  // -log p
  kTeacher,   // k3 from the teacher; 0 with teacher_weight 0
  kStart,     // k3 from the start; 0 with kl_weight 0
  kMismatch,  // |log p - old_logprob|: before any update, what trainer and engine disagree on
  kSurrogateSums
};
GradientWorkers::Result surrogate_backward(GradientWorkers& workers,
                                           const std::vector<Example>& examples,
                                           const RlOptions& options, double teacher_weight);

// Sets `field` (teacher_logprob, start_logprob) of every scored token to its log probability under
// `policy`, of the student's vocabulary.
void ask_policy(const Qwen3Impl& policy, const Frozen& frozen, std::vector<Example>& examples,
                float ScoredToken::*field, const StageJob& job);

}  // namespace podium::train
