#include "podium/policy/explore.h"

#include <algorithm>
#include <cmath>

namespace podium::policy {
namespace {

// Solves L z = x in place. L: [dim, dim] lower.
void forward(std::span<const double> lower, std::span<double> x) {
  const size_t dim = x.size();
  for (size_t i = 0; i < dim; ++i) {
    for (size_t j = 0; j < i; ++j) x[i] -= lower[i * dim + j] * x[j];
    x[i] /= lower[i * dim + i];
  }
}

// The lower Cholesky factor of a, in its place; false where a is not positive definite.
bool cholesky(std::vector<double>& a, size_t dim) {
  for (size_t i = 0; i < dim; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i * dim + j];
      for (size_t k = 0; k < j; ++k) sum -= a[i * dim + k] * a[j * dim + k];
      if (i == j && !(sum > 0 && std::isfinite(sum))) return false;
      a[i * dim + j] = i == j ? std::sqrt(sum) : sum / a[j * dim + j];
    }
  }
  return true;
}

// One state, ready for any features: theta x = (L^-1 b) (L^-1 x).
struct Factored {
  std::vector<double> lower, b;  // [dim, dim], [dim]: L^-1 b

  bool read(const RidgeState& state, size_t dim) {
    if (state.a.size() != dim * dim || state.b.size() != dim) return false;
    lower = state.a;
    b = state.b;
    if (!cholesky(lower, dim)) return false;
    forward(lower, b);
    return true;
  }
  double bound(std::vector<double> x, double alpha) const {
    forward(lower, x);
    double mean = 0, square = 0;
    for (size_t i = 0; i < x.size(); ++i) mean += b[i] * x[i], square += x[i] * x[i];
    return mean + alpha * std::sqrt(square);
  }
};

double gamma_draw(double shape, Rng& rng) {
  if (shape < 1) {
    const double u = 1 - rng.uniform();  // above 0
    return gamma_draw(shape + 1, rng) * std::pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal(), t = 1 + c * x;
    if (t <= 0) continue;
    const double v = t * t * t, u = 1 - rng.uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

bool is_beta(const BetaCounts& counts) {
  return counts.successes > 0 && counts.failures > 0 && std::isfinite(counts.successes) &&
         std::isfinite(counts.failures);
}

}  // namespace

std::vector<double> upper_bounds(const LinearState& state, size_t items, double alpha) {
  const bool shared = state.states.size() == 1;
  if (state.dim == 0 || state.features.size() != items * state.dim ||
      (!shared && state.states.size() != items)) {
    return {};
  }
  std::vector<double> bounds;
  Factored factored;
  for (size_t item = 0; item < items; ++item) {
    if ((item == 0 || !shared) && !factored.read(state.states[item], state.dim)) return {};
    const auto x = state.features.subspan(item * state.dim, state.dim);
    bounds.push_back(factored.bound({x.begin(), x.end()}, alpha));
    if (!std::isfinite(bounds.back())) return {};
  }
  return bounds;
}

double beta_draw(const BetaCounts& counts, Rng& rng) {
  const double won = gamma_draw(counts.successes, rng), lost = gamma_draw(counts.failures, rng);
  return won + lost > 0 ? won / (won + lost) : 0.5;
}

Explorer::Explorer(const Explore* rule, std::span<const RankedItem> items,
                   const RulesContext& context)
    : rule_(rule), items_(items), context_(context), rng_(Rng(context.seed).fork("places")) {
  if (rule_ == nullptr) return;
  if (rule_->method == Explore::Method::kThompson) prepare_counts();
  if (rule_->method == Explore::Method::kLinUcb) prepare_linear();
}

void Explorer::prepare_counts() {
  const auto counts = context_.counts;
  if (counts.size() != items_.size() || !std::all_of(counts.begin(), counts.end(), is_beta)) {
    missing_ = "the request came without counters of all items, each above 0";
  }
  drawn_.resize(items_.size());
}

void Explorer::prepare_linear() {
  bounds_ = upper_bounds(context_.linear, items_.size(), rule_->alpha);
  if (bounds_.empty() && !items_.empty()) {
    missing_ = "the request came without features and a positive definite state of all items";
  }
}

size_t Explorer::window(int place) const {
  const bool explores = rule_ != nullptr && missing_.empty() && place >= rule_->from;
  return explores ? size_t(rule_->window) : 1;
}

Explorer::Choice Explorer::choose(std::span<const int> offered) {
  if (offered.size() == 1) return {};
  if (rule_->method == Explore::Method::kThompson) return thompson(offered);
  size_t best = 0;
  if (rule_->method == Explore::Method::kLinUcb) {
    for (size_t i = 1; i < offered.size(); ++i) {
      if (bounds_[size_t(offered[i])] > bounds_[size_t(offered[best])]) best = i;
    }
  }
  return epsilon(best, offered.size());
}

Explorer::Choice Explorer::epsilon(size_t best, size_t offered) {
  const double each = rule_->epsilon / double(offered);
  const bool random = rng_.uniform() < rule_->epsilon;
  const size_t at = random ? rng_.below(offered) : best;
  return {at, each + (at == best ? 1 - rule_->epsilon : 0)};
}

Explorer::Choice Explorer::thompson(std::span<const int> offered) {
  const auto count = size_t(rule_->draws);
  std::vector<float> most = draws(offered[0]);
  std::vector<uint16_t> best(count, 0);
  for (size_t i = 1; i < offered.size(); ++i) {
    const std::vector<float>& own = draws(offered[i]);
    for (size_t d = 0; d < count; ++d) {
      if (own[d] > most[d]) most[d] = own[d], best[d] = uint16_t(i);
    }
  }
  const uint16_t at = best[rng_.below(count)];
  return {at, double(std::count(best.begin(), best.end(), at)) / double(count)};
}

// By the item's id, so that they are the same in whatever order items stand.
const std::vector<float>& Explorer::draws(int item) {
  std::vector<float>& own = drawn_[size_t(item)];
  if (!own.empty()) return own;
  Rng rng = Rng(context_.seed).fork(items_[size_t(item)].id);
  for (int d = 0; d < rule_->draws; ++d) {
    own.push_back(float(beta_draw(context_.counts[size_t(item)], rng)));
  }
  return own;
}

}  // namespace podium::policy
