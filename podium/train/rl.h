// Reinforcement learning of the policy: DAPO (2503.14476; docs/gr2.md section 8) on the verifiable
// reward of whole answers (rerank/slate_reward.h). G rollouts a prompt; groups without spread are
// dropped and more prompts drawn; advantage (R - mean) / (std + eps) in the group; surrogate min(r
// A, clip(r, 1 - low, 1 + high) A), averaged over all loss tokens of an update. dapo.h has the
// arithmetic. Without a trace it is the internalisation run.
//
// By option: overlong_weight times overlong_penalty of its trace is added to a rollout's reward;
// kl_weight times the divergence from the policy that RL began with comes to the loss; RL ends
// after `patience` validations in a row without a better policy.
//
// With a teacher it is on-policy distillation (docs/gr2.md section 6; TR eq. 4): to the same loss
// comes teacher_weight times the divergence from the teacher. Prompts without spread are kept: the
// teacher speaks on each.
//
// metrics.jsonl, a row a step: reward, identity_rate, groups, dropped_groups, entropy (nats a
// token), clip_share; mismatch_mean and mismatch_max: |log p by the trainer - log p by the engine|
// of the sampled tokens before the step's first update, nats; with a trace trace_tokens, the mean
// length; teacher_divergence and start_divergence where they are part of the loss.
#pragma once

#include <functional>

#include "podium/base/json.h"
#include "podium/rerank/slate_reward.h"
#include "podium/train/policy_data.h"
#include "podium/train/rl_options.h"

namespace podium::train {

// Throws Error on unknown names.
rerank::RewardOptions reward_options(const RlOptions& options);

struct RlPlan {
  const RlOptions& options;
  bool with_trace = true;
  const data::ItemFacts* facts = nullptr;  // needed where the reward's terms are about items
  const Qwen3Impl* teacher = nullptr;      // of the student's vocabulary
  // What else is measured at every validation: an object whose keys come to its row of the curve.
  std::function<Json(const Qwen3Impl& policy)> observe = {};
  const rerank::SlateClicks* clicks = nullptr;  // needed where a term is about simulated clicks
};

// Trains in place to the policy that validates best (the first one included): by NDCG or, where the
// reward is also about items, by its value. With such a reward it begins with the search of
// tune_likeness.h, and the policy as it came is measured too. Resumes from job.work; with kl_weight
// the first policy's weights are kept there. Returns what stats.json says: steps done, validations
// by step, the best one, dropped groups. Throws Error when the facts lack what the reward is about.
Json reinforce(Qwen3& model, const rerank::PromptContext& context, const SlateSets& slates,
               const RlPlan& plan, const StageJob& job);

}  // namespace podium::train
