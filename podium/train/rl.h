// Reinforcement learning of the policy: DAPO (2503.14476; docs/gr2.md section 8) on the verifiable
// reward of whole answers (rerank/slate_reward.h). G rollouts a prompt; groups without spread are
// dropped and more prompts drawn; advantage (R - mean) / (std + eps) in the group; surrogate min(r
// A, clip(r, 1 - low, 1 + high) A), averaged over all loss tokens of an update; no KL term. Without
// a trace it is the internalisation run.
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
  std::vector<float> advantages;  // empty: no spread
};

// The prompt once, its answers side by side; weight = advantage, old_logprob as sampled.
Example group_example(const rerank::PromptContext& context, const RolloutGroup& group,
                      bool with_trace, int max_trace);

// Sets the model's gradients to those of minus the surrogate. statistics: clipped tokens, tokens,
// sum of -log P.
GradientWorkers::Result surrogate_backward(GradientWorkers& workers,
                                           const std::vector<Example>& examples,
                                           const RlOptions& options);

struct RlPlan {
  const RlOptions& options;
  bool with_trace = true;
  const data::ItemFacts* facts = nullptr;  // needed where the reward's terms are about items
};

// Trains in place to the policy that validates best (the first one included): by NDCG or, where the
// reward is also about items, by its value. Resumes from job.work. Returns what stats.json says:
// validations by step, the best one, dropped groups. Throws Error when the facts lack what the
// reward is about.
Json reinforce(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
               const RlPlan& plan, const StageJob& job);

}  // namespace podium::train
