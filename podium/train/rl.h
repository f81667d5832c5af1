// Reinforcement learning of the policy: DAPO (2503.14476; docs/gr2.md section 8) on the verifiable
// reward of whole answers (rerank/slate_reward.h). G rollouts a prompt; groups without spread are
// dropped and more prompts drawn; advantage (R - mean) / (std + eps) in the group; surrogate min(r
// A, clip(r, 1 - low, 1 + high) A), averaged over all loss tokens of an update; no KL term. Without
// a trace it is the internalisation run.
//
// With a teacher it is on-policy distillation (docs/gr2.md section 6; TR eq. 4): to the same loss
// comes teacher_weight times k3 = exp(d) - d - 1, d = log p_teacher - log p_student, of every
// sampled token, an estimate of the divergence of the student from the teacher. Prompts without
// spread are kept: the teacher speaks on each.
#pragma once

#include <span>
#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/slate_reward.h"
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

// min(r A, clip(r) A) with r = exp(logprob - old), [tokens].
torch::Tensor clipped_surrogate(const torch::Tensor& logprob,    // [tokens]
                                const torch::Tensor& old,        // [tokens]
                                const torch::Tensor& advantage,  // [tokens]
                                double low, double high);

// Throws Error on unknown names.
rerank::RewardOptions reward_options(const RlOptions& options);

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

// Sets the model's gradients to those of minus the surrogate, and of teacher_weight times the
// divergence from the examples' teacher_logprob. statistics: clipped tokens, tokens, sum of -log P,
// sum of k3.
GradientWorkers::Result surrogate_backward(GradientWorkers& workers,
                                           const std::vector<Example>& examples,
                                           const RlOptions& options, double teacher_weight);

// teacher_logprob of every scored token. The job's processes share out the examples.
void ask_teacher(const Qwen3Impl& teacher, const Frozen& frozen, std::vector<Example>& examples,
                 const StageJob& job);

struct RlPlan {
  const RlOptions& options;
  bool with_trace = true;
  const data::ItemFacts* facts = nullptr;  // needed where the reward's terms are about items
  const Qwen3Impl* teacher = nullptr;      // of the student's vocabulary
};

// Trains in place to the policy that validates best (the first one included): by NDCG or, where the
// reward is also about items, by its value. Resumes from job.work. Returns what stats.json says:
// validations by step, the best one, dropped groups. Throws Error when the facts lack what the
// reward is about.
Json reinforce(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
               const RlPlan& plan, const StageJob& job);

}  // namespace podium::train
