// Where a policy that learns from labels begins: all that is given of a candidate (the upstream's
// and the ranker's scores, the ranker's features), weighed so that the users' choices are
// likeliest; and how much it keeps of what it has learnt since.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/slate.h"
#include "podium/train/qwen3.h"

namespace podium::train {

struct Calibration {
  std::vector<double> weight;  // [kScores + F], of Prompt::scores and numbers
  double penalty = 0;          // of the fit that was kept; 0: only the scores are weighed
  double gained = 0;  // of the mean log likelihood, on these slates, over the upstream's order
};
// Maximises the mean, weighed, over the slates with a choice of log softmax(weight . given)[the
// chosen], shared by gains, by Newton's method: first the scores, then, pulled to these, all. The
// pull is of several the one by which the choices of `others`, which validate, are likeliest; only
// the scores are weighed where that is likelier still, and without others. At most 8,000 slates of
// each are read. The same bits whatever the thread count.
Calibration calibrate(std::span<const rerank::Slate> slates, std::span<const rerank::Slate> others);

// What validation says is to be kept, twice. First of the start: its weights become
//   (1 - share) x the upstream's order + share x the start's      (shares 1, 1/2, 0);
// then of what was learnt since, the choice's logits
//   (1 - share) x the start's + share x the trained               (shares 1, 3/4, 1/2, 1/4, 0):
// what is given weighed by the start, and a share of the pointer product. Each time the share with
// the highest mean of measure() is kept, the largest where several have it; but 0 unless it is
// above that of 0 by the standard error of their paired difference. So a policy that learnt only
// noise goes back to its start, and one whose start is none either to the order that it was given.
// measure: of the model as it then is, one value a slate. Returns {"start", "start_curve", "share",
// "curve"}; curves: [{"share", "ndcg", "error"}], error: the said standard error.
Json weigh_residual(Qwen3& model, const Calibration& start,
                    const std::function<std::vector<double>()>& measure);

}  // namespace podium::train
