// Where a policy that learns from labels begins: the upstream's and the ranker's scores, weighed so
// that the users' choices are likeliest; and how much it keeps of what it has learnt since.
#pragma once

#include <array>
#include <functional>
#include <span>

#include "podium/base/json.h"
#include "podium/rerank/model_spec.h"
#include "podium/rerank/slate.h"
#include "podium/train/qwen3.h"

namespace podium::train {

struct ScoreWeights {
  std::array<double, rerank::kScores> weight = {1, 0};
  double gained = 0;  // of the mean log likelihood, on these slates, over the weights (1, 0)
};
// Maximises the mean over the slates with a choice of log softmax(weight . scores)[the chosen],
// shared by gains, by Newton's method. A slight pull towards (1, 0) decides what the slates do not.
ScoreWeights calibrate(std::span<const rerank::Slate> slates);

// The choice's logits become (1 - share) x the start's + share x the trained: scores weighed by
// `start`, and a share of the pointer product. Of the shares 1, 3/4, 1/2, 1/4, 0 the one with the
// highest measure() is kept, the largest where several have it. So a policy that learnt only noise
// goes back to its start. measure: of the model as it then is. Returns {"share", "curve":
// [{"share", "ndcg"}]}.
Json weigh_residual(Qwen3& model, const ScoreWeights& start,
                    const std::function<double()>& measure);

}  // namespace podium::train
