#include "podium/train/calibrate.h"

#include <cmath>

#include "podium/rerank/prompt.h"

namespace podium::train {
namespace {

constexpr double kPull = 1e-4;
constexpr int kSteps = 30, kHalvings = 20;

using Weights = std::array<double, rerank::kScores>;
static_assert(rerank::kScores == 2);

// The likelihood of the choices, its slope and its curvature [xx, xy, yy].
struct Fit {
  double value = 0;
  Weights slope{};
  std::array<double, 3> curve{};
};

void add(const rerank::Slate& slate, const Weights& w, Fit& fit) {
  const std::vector<float> scores = rerank::first_scores(slate);
  const size_t k = slate.candidates.size();
  const auto x = [&](size_t i) { return double(scores[2 * i]); };
  const auto y = [&](size_t i) { return double(scores[2 * i + 1]); };
  double top = -INFINITY, sum = 0, gains = 0;
  for (size_t i = 0; i < k; ++i) {
    top = std::max(top, w[0] * x(i) + w[1] * y(i));
    gains += slate.candidates[i].gain;
  }
  double ex = 0, ey = 0, xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < k; ++i) sum += std::exp(w[0] * x(i) + w[1] * y(i) - top);
  for (size_t i = 0; i < k; ++i) {
    const double p = std::exp(w[0] * x(i) + w[1] * y(i) - top) / sum;
    ex += p * x(i);
    ey += p * y(i);
    xx += p * x(i) * x(i);
    xy += p * x(i) * y(i);
    yy += p * y(i) * y(i);
  }
  for (size_t i = 0; i < k; ++i) {
    const double share = slate.candidates[i].gain / gains;
    fit.value += share * (w[0] * x(i) + w[1] * y(i) - top - std::log(sum));
    fit.slope[0] += share * (x(i) - ex);
    fit.slope[1] += share * (y(i) - ey);
  }
  fit.curve[0] += xx - ex * ex;
  fit.curve[1] += xy - ex * ey;
  fit.curve[2] += yy - ey * ey;
}

Fit fit_of(std::span<const rerank::Slate* const> slates, const Weights& w) {
  Fit fit;
  for (const rerank::Slate* slate : slates) add(*slate, w, fit);
  const auto n = double(slates.size());
  fit.value = fit.value / n - kPull / 2 * (std::pow(w[0] - 1, 2) + std::pow(w[1], 2));
  fit.slope = {fit.slope[0] / n - kPull * (w[0] - 1), fit.slope[1] / n - kPull * w[1]};
  fit.curve = {fit.curve[0] / n + kPull, fit.curve[1] / n, fit.curve[2] / n + kPull};
  return fit;
}

}  // namespace

ScoreWeights calibrate(std::span<const rerank::Slate> slates) {
  std::vector<const rerank::Slate*> chosen;
  for (const rerank::Slate& slate : slates) {
    if (slate.positives() > 0) chosen.push_back(&slate);
  }
  ScoreWeights best;
  if (chosen.empty()) return best;
  Fit fit = fit_of(chosen, best.weight);
  const double first = fit.value;
  for (int step = 0; step < kSteps; ++step) {
    const auto [xx, xy, yy] = fit.curve;
    const double determinant = xx * yy - xy * xy;
    const Weights move = {(yy * fit.slope[0] - xy * fit.slope[1]) / determinant,
                          (xx * fit.slope[1] - xy * fit.slope[0]) / determinant};
    double share = 1;
    for (int i = 0; i < kHalvings; ++i, share /= 2) {
      const Weights w = {best.weight[0] + share * move[0], best.weight[1] + share * move[1]};
      const Fit next = fit_of(chosen, w);
      if (next.value <= fit.value) continue;
      best.weight = w;
      fit = next;
      break;
    }
    if (share * (std::abs(move[0]) + std::abs(move[1])) < 1e-6) break;
  }
  best.gained = fit.value - first;
  return best;
}

Json weigh_residual(Qwen3& model, const ScoreWeights& start,
                    const std::function<double()>& measure) {
  const torch::NoGradGuard no_grad;
  const SlateWeights own = slate_weights(model->spec, model->weights);
  const torch::Tensor scale = own.scale.clone(), key = own.key.clone();
  torch::Tensor first = torch::empty_like(scale);
  for (size_t i = 0; i < rerank::kScores; ++i) first[int64_t(i)] = start.weight[i];
  const auto keep = [&](double share) {
    own.scale.copy_(first * (1 - share) + scale * share);
    own.key.copy_(key * share);
  };
  double best = -INFINITY, best_share = 1;
  Json curve = Json::array();
  for (const double share : {1.0, 0.75, 0.5, 0.25, 0.0}) {
    keep(share);
    const double ndcg = measure();
    curve.push_back({{"share", share}, {"ndcg", ndcg}});
    if (ndcg <= best) continue;
    best = ndcg;
    best_share = share;
  }
  keep(best_share);
  return {{"share", best_share}, {"curve", curve}};
}

}  // namespace podium::train
