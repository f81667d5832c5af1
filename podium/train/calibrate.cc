#include "podium/train/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "podium/kernels/kernels.h"
#include "podium/rerank/prompt.h"

namespace podium::train {
namespace {

using torch::Tensor;

constexpr size_t kMostSlates = 8000;
constexpr int kSteps = 30, kHalvings = 20;
constexpr double kSlight = 1e-4;  // decides between scores where the slates do not
constexpr std::array<double, 4> kPenalties = {1e-1, 1e-2, 1e-3, 1e-4};

// Slates of one size, the smaller ones padded.
struct Table {
  Tensor given;   // [slates, K, D] F64
  Tensor mask;    // [slates, K]: 0, or -inf of padding
  Tensor share;   // [slates, K]: of the choice, 1 a slate
  Tensor counts;  // [slates, 1]: what each counts, 1 on average
};

std::vector<const rerank::Slate*> chosen_among(std::span<const rerank::Slate> slates) {
  std::vector<const rerank::Slate*> all, some;
  for (const rerank::Slate& slate : slates) {
    if (slate.can_be_ranked()) all.push_back(&slate);
  }
  const size_t apart = std::max<size_t>(1, (all.size() + kMostSlates - 1) / kMostSlates);
  for (size_t i = 0; i < all.size(); i += apart) some.push_back(all[i]);
  return some;
}

Table table_of(const std::vector<const rerank::Slate*>& slates) {
  size_t most = 0;
  for (const rerank::Slate* slate : slates) most = std::max(most, slate->candidates.size());
  const size_t width = rerank::kScores + slates.front()->numbers();
  const auto count = int64_t(slates.size()), k = int64_t(most);
  Table t{torch::zeros({count, k, int64_t(width)}, torch::kDouble),
          torch::full({count, k}, -INFINITY, torch::kDouble),
          torch::zeros({count, k}, torch::kDouble), torch::zeros({count, 1}, torch::kDouble)};
  double* given = t.given.data_ptr<double>();
  for (size_t s = 0; s < slates.size(); ++s, given += most * width) {
    const rerank::Slate& slate = *slates[s];
    t.counts[int64_t(s)] = slate.weight;
    const std::vector<float> scores = rerank::first_scores(slate);
    double gains = 0;
    for (const auto& candidate : slate.candidates) gains += candidate.gain;
    for (size_t i = 0; i < slate.candidates.size(); ++i) {
      const auto& candidate = slate.candidates[i];
      double* to =
          std::copy_n(scores.data() + i * rerank::kScores, rerank::kScores, given + i * width);
      std::copy(candidate.numbers.begin(), candidate.numbers.end(), to);
      t.mask.data_ptr<double>()[s * most + i] = 0;
      t.share.data_ptr<double>()[s * most + i] = candidate.gain / gains;
    }
  }
  t.counts /= t.counts.mean();
  return t;
}

// [slates, K]: log softmax, -inf of padding.
Tensor logs_of(const Table& table, const Tensor& weight) {
  return (table.given.matmul(weight) + table.mask).log_softmax(1);
}

double likelihood(const Table& table, const Tensor& weight) {
  const Tensor logs = logs_of(table, weight).masked_fill(table.mask < 0, 0);
  return (table.counts * table.share * logs).sum().item<double>() / double(table.share.size(0));
}

// A quadratic pull to `centre`, its strength [D].
struct Pull {
  Tensor centre, strength;

  double cost(const Tensor& weight) const {
    return ((weight - centre).square() * strength).sum().item<double>() / 2;
  }
};

// Newton's method with halved steps, from the pull's centre.
Tensor fit(const Table& table, const Pull& pull) {
  const auto slates = double(table.share.size(0));
  const int64_t width = table.given.size(2);
  const Tensor flat = table.given.view({-1, width});
  Tensor weight = pull.centre.clone();
  double value = likelihood(table, weight) - pull.cost(weight);
  for (int step = 0; step < kSteps; ++step) {
    const Tensor p = logs_of(table, weight).exp();
    const Tensor weighed = table.given * (table.counts * p).unsqueeze(2);
    const Tensor mean = weighed.sum(1) / table.counts.sqrt();
    const Tensor slope = flat.t().matmul((table.counts * (table.share - p)).view(-1)) / slates -
                         pull.strength * (weight - pull.centre);
    const Tensor curve =
        (flat.t().matmul(weighed.view({-1, width})) - mean.t().matmul(mean)) / slates +
        torch::diag(pull.strength);
    const Tensor move = torch::linalg_solve(curve, slope);
    double part = 1, gained = 0;
    for (int i = 0; i < kHalvings && gained <= 0; ++i, part /= 2) {
      const Tensor next = weight + part * move;
      gained = likelihood(table, next) - pull.cost(next) - value;
      if (gained > 0) weight = next;
    }
    value += std::max(0.0, gained);
    if (gained < 1e-9) break;
  }
  return weight;
}

// The weights that leave the upstream's order as it is.
Tensor given_order(int64_t width) {
  Tensor weight = torch::zeros({width}, torch::kDouble);
  weight[0] = 1;
  return weight;
}

// The scores' weights, the others zero.
Tensor fit_scores(const Table& table) {
  const auto scores = int64_t(rerank::kScores);
  const Table own{table.given.slice(2, 0, scores).contiguous(), table.mask, table.share,
                  table.counts};
  const Tensor found =
      fit(own, {given_order(scores), torch::full({scores}, kSlight, torch::kDouble)});
  return torch::cat({found, torch::zeros({table.given.size(2) - scores}, torch::kDouble)});
}

// All weights, pulled to `scores`; a penalty of 0 leaves the features out. A feature's pull is that
// of its deviation, as if all had the same.
Tensor fit_all(const Table& table, const Tensor& scores, double penalty) {
  if (penalty == 0) return scores;
  const Tensor rows = table.given.view({-1, table.given.size(2)})
                          .index_select(0, (table.mask.view(-1) == 0).nonzero().view(-1));
  return fit(table, {scores, (rows.var(0) * penalty).clamp_min(1e-9)});
}

// The penalty by which other slates are likeliest; 0, no features, without any.
double best_penalty(const Table& table, const Tensor& scores,
                    const std::vector<const rerank::Slate*>& others) {
  if (others.empty()) return 0;
  const Table left = table_of(others);
  double best = 0, highest = likelihood(left, scores);
  for (const double penalty : kPenalties) {
    const double reached = likelihood(left, fit_all(table, scores, penalty));
    if (reached <= highest) continue;
    highest = reached;
    best = penalty;
  }
  return best;
}

// Sums are the same whatever the threads only in one.
class OneThread {
 public:
  OneThread() : threads_(at::get_num_threads()) {
    at::set_num_threads(1);
    kernels::set_blas_threads(1);
  }
  ~OneThread() {
    at::set_num_threads(threads_);
    kernels::set_blas_threads(threads_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_;
};

struct Paired {
  double mean = 0, difference = 0, error = 0;  // of `values`; over `others`; its standard error
};

Paired paired(const std::vector<double>& values, const std::vector<double>& others) {
  const auto n = double(std::max<size_t>(1, values.size()));
  double sum = 0, difference = 0, squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double by = values[i] - others[i];
    sum += values[i];
    difference += by;
    squares += by * by;
  }
  difference /= n;
  return {sum / n, difference, std::sqrt(std::max(0.0, squares / n - difference * difference) / n)};
}

struct Kept {
  double share = 1;
  std::vector<double> values;  // measured with it
  Json curve = Json::array();
};

// The share that weigh_residual keeps. shares: the largest first, 0 last; nothing: measured at 0.
Kept weigh(std::initializer_list<double> shares, const std::vector<double>& nothing,
           const std::function<void(double)>& keep,
           const std::function<std::vector<double>()>& measure) {
  Kept kept;
  double best = -INFINITY;
  for (const double share : shares) {
    keep(share);
    std::vector<double> values = share > 0 ? measure() : nothing;
    const Paired gain = paired(values, nothing);
    kept.curve.push_back({{"share", share}, {"ndcg", gain.mean}, {"error", gain.error}});
    if (gain.mean <= best || gain.difference < gain.error) continue;
    best = gain.mean;
    kept.share = share;
    kept.values = std::move(values);
  }
  keep(kept.share);
  return kept;
}

}  // namespace

Calibration calibrate(std::span<const rerank::Slate> slates,
                      std::span<const rerank::Slate> others) {
  const auto chosen = chosen_among(slates);
  Calibration found{std::vector<double>(rerank::kScores)};
  found.weight.front() = 1;
  if (!slates.empty()) found.weight.resize(rerank::kScores + slates.front().numbers());
  if (chosen.empty()) return found;
  const OneThread one_thread;
  const torch::NoGradGuard no_grad;
  const Table table = table_of(chosen);
  const bool reads = found.weight.size() > rerank::kScores;
  const Tensor scores = fit_scores(table);
  found.penalty = reads ? best_penalty(table, scores, chosen_among(others)) : 0;
  const Tensor order = given_order(int64_t(found.weight.size()));
  const Tensor weight = fit_all(table, scores, found.penalty);
  found.gained = likelihood(table, weight) - likelihood(table, order);
  std::copy_n(weight.data_ptr<double>(), found.weight.size(), found.weight.begin());
  return found;
}

Json weigh_residual(Qwen3& model, const Calibration& start,
                    const std::function<std::vector<double>()>& measure) {
  const torch::NoGradGuard no_grad;
  const SlateWeights own = slate_weights(model->spec, model->weights);
  const Tensor scale = own.scale.clone(), key = own.key.clone();
  const Tensor user = own.likeness_user.clone(), bias = own.likeness_bias.clone();
  const Tensor whole = torch::tensor(start.weight, torch::kFloat);
  const Tensor order = given_order(whole.size(0)).to(torch::kFloat);
  Tensor base;  // the part of the start that is kept
  const auto keep_learnt = [&](double share) {
    own.scale.copy_(base * (1 - share) + scale * share);
    own.key.copy_(key * share);
    own.likeness_user.copy_(user * share);
    own.likeness_bias.copy_(bias * share);
  };
  const auto keep_start = [&](double share) {
    base = order + (whole - order) * share;
    keep_learnt(0);
  };
  keep_start(0);
  const Kept begun = weigh({1, 0.5, 0}, measure(), keep_start, measure);
  const Kept learnt = weigh({1, 0.75, 0.5, 0.25, 0}, begun.values, keep_learnt, measure);
  return {{"start", begun.share},
          {"start_curve", begun.curve},
          {"share", learnt.share},
          {"curve", learnt.curve}};
}

}  // namespace podium::train
