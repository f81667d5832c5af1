// Where a policy that learns from labels begins: the upstream's and the ranker's scores, weighed so
// that the users' choices are likeliest.
#pragma once

#include <array>
#include <span>

#include "podium/rerank/model_spec.h"
#include "podium/rerank/slate.h"

namespace podium::train {

struct ScoreWeights {
  std::array<double, rerank::kScores> weight = {1, 0};
  double gained = 0;  // of the mean log likelihood, on these slates, over the weights (1, 0)
};
// Maximises the mean over the slates with a choice of log softmax(weight . scores)[the chosen],
// shared by gains, by Newton's method. A slight pull towards (1, 0) decides what the slates do not.
ScoreWeights calibrate(std::span<const rerank::Slate> slates);

}  // namespace podium::train
