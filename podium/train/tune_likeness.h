// Where a reward is of a whole list, RL begins with the weights of likeness (runtime/likeness.h)
// and of the two scores by which greedy answers are worth most. They are a few numbers that all
// answers share, so a search finds in a minute what sampled answers' gradients would take thousands
// of steps to.
#pragma once

#include <functional>

#include "podium/base/json.h"
#include "podium/train/qwen3.h"

namespace podium::train {

// Hooke and Jeeves (1961): one weight after another goes a step up or down while `value`, of the
// model as it is then, rises; then the steps are halved. Leaves the model with the best weights.
// Returns {"weights": [kLikeness + kScores], "before", "after"}, the values.
Json tune_likeness(const Qwen3Impl& model, const std::function<double()>& value);

}  // namespace podium::train
