// Options of reinforcement learning; free of LibTorch, so that the pipeline may read them.
#pragma once

#include <string>

#include "podium/base/option_range.h"
#include "podium/rerank/slate_reward.h"

namespace podium::train {

// DAPO (2503.14476).
struct RlOptions {
  int steps = 100;
  int prompts = 32;  // prompts a step with a spread of rewards (dynamic sampling)
  int rollouts = 8;  // G
  double learning_rate = 1e-4;
  double shared_rate = 1;  // how much faster what all answers share learns
  double clip_low = 0.2, clip_high = 0.28;
  double alpha = 0.1;              // weight of the format reward
  std::string rank = "ndcg-gain";  // what a slate is rewarded for: rerank/slate_reward.h
  std::string credit = "answer";   // or "rank"
  double teacher_weight = 0.1;     // beta of on-policy distillation
  double kl_weight = 0;            // of the divergence from the policy that RL began with
  int overlong_from = 64;          // tokens of a trace from which on it is punished
  double overlong_weight = 0;      // what a trace of max_trace tokens costs
  bool shuffle = true;             // candidates in random order in every other prompt
  int updates = 2;                 // optimizer steps a batch of rollouts, each on its share
  int epochs = 1;                  // passes over a batch of rollouts
  int eval_every = 10;             // steps between validations; the best policy is kept
  int eval_slates = 400;           // validation slates, at most
  int patience = 0;                // validations without a better one that end it; 0: never
  // Not visited, as whole runs have one of each:
  std::string gate = "conditional";  // or plain, improving
  int max_trace = 96;                // longest reasoning trace, tokens
  template <class V>
  void visit(V& v) {
    v("steps", steps, "policy updates", between(0, 10000000));
    v("prompts", prompts, "prompts a step, after groups without spread are dropped",
      between(1, 100000));
    v("rollouts", rollouts, "rollouts a prompt, G", between(2, 1024));
    v("learning_rate", learning_rate, "AdamW's step", between(1e-9, 10));
    v("shared_rate", shared_rate,
      "how much faster the few weights learn that all answers share: of what is given of a "
      "candidate, and of its likeness to what stands",
      between(1e-3, 1e5));
    v("clip_low", clip_low, "lower clip of the ratio: 1 - clip_low", below(0, 1));
    v("clip_high", clip_high, "upper clip of the ratio: 1 + clip_high", between(0, 1000));
    v("alpha", alpha, "weight of the format reward", between(0, 1000));
    v("rank", rank,
      "what a slate is rewarded for: ndcg, auc, or terms with weights such as "
      "ndcg-gain:1,coverage:0.2,ild:0.2@8 of ndcg-gain, auc-gain, rank, alpha-ndcg, coverage, ild, "
      "novelty, freshness, margin, exposure; in a simulated shop clicks");
    v.rule([this] { return !rerank::parse_reward(rank).terms.empty(); },  // throws with the reason
           "rank must name a reward");
    v("credit", credit,
      "what a name is credited with: the whole answer's advantage, or, by rank, that of the "
      "discounted gain from its own rank on",
      one_of({"answer", "rank"}));
    v("teacher_weight", teacher_weight,
      "distillation (--teacher): weight of each token's divergence from the teacher",
      between(0, 1000));
    v("kl_weight", kl_weight,
      "weight of each token's divergence from the policy that RL began with; 0: none",
      between(0, 1000));
    v("overlong_from", overlong_from,
      "tokens of a trace from which on it costs reward, more with each up to max_trace",
      between(0, 1024));
    v("overlong_weight", overlong_weight, "what a trace of max_trace tokens costs; 0: nothing",
      between(0, 1000));
    v("shuffle", shuffle, "shuffle candidates in training, against position bias");
    v("updates", updates, "optimizer steps a batch of rollouts", between(1, 10000));
    v("epochs", epochs, "passes over a batch of rollouts", between(1, 1000));
    v("eval_every", eval_every, "steps between validations; the best policy is kept",
      between(1, 10000000));
    v("eval_slates", eval_slates, "validation slates, at most", between(1, 1000000000));
    v("patience", patience, "validations in a row without a better policy that end RL; 0: never",
      between(0, 10000000));
  }
};

}  // namespace podium::train
