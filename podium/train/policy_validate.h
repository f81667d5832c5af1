// How good a policy is on validation slates, each counted by its weight, in the middle of its
// training, and which was best.
#pragma once

#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/slate_reward.h"
#include "podium/runtime/engine.h"
#include "podium/train/policy_data.h"

namespace podium::train {

struct Validation {
  double ndcg = 0, input_ndcg = 0;  // means over the slates, all candidates counted
  double identity_rate = 0;         // answers equal to the input order
  double tau = 0;                   // mean Kendall tau of answer and input order
  double first_kept = 0;            // answers that begin with the input order's first
  double value = 0;                 // mean of ValidationPlan::reward; 0 without one
  std::vector<double> each = {};    // [slates] NDCG times weight, the mean of which is ndcg
  double gain() const { return ndcg - input_ndcg; }
};

struct ValidationPlan {
  size_t most = 400;        // slates, as they come
  bool with_trace = false;  // answers after a trace
  int max_trace = 96;
  int threads = 1;
  const rerank::SlateReward* reward = nullptr;  // more than NDCG counts: its value is the measure
  ProcessGroup group = {};                      // shares out the slates
};

// Greedy answers to the slates. All zero without slates.
Validation validate(const runtime::Engine& engine, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, const ValidationPlan& plan);
Validation validate(const Qwen3Impl& model, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, const ValidationPlan& plan);
Json to_json(const Validation& validation);

// Measures a policy from time to time and keeps the best in a file, by NDCG or by the plan's
// reward; without slates to validate on, the newest is the best. The processes of a group measure
// together; rank 0 writes the file.
class Selection {
 public:
  // All must outlive it.
  Selection(Qwen3& model, const rerank::PromptContext& context,
            const std::vector<rerank::Slate>& slates, const ValidationPlan& plan, fs::path file);

  // more: an object whose keys come to the curve's row.
  void measure(const std::string& stage, int64_t step, const Json& more = Json::object());
  int64_t since_best() const;  // measured after the best
  int64_t last_step() const;   // measured; -1: none
  void take_best();            // the model's weights become the best's

  // {"best_step", "best", "curve": [{"step", ...}]}: a checkpoint's part, the stage's result.
  const Json& state() const { return state_; }
  void restore(const Json& state) { state_ = state; }

 private:
  Qwen3& model_;
  const rerank::PromptContext& context_;
  const std::vector<rerank::Slate>& slates_;
  ValidationPlan plan_;
  fs::path file_;
  Json state_;
};

bool is_input_order(std::span<const int> order);

}  // namespace podium::train
