#include "podium/policy/steer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"

namespace podium::policy {
namespace {

constexpr double kEnough = 1e-12;  // smaller gains are rounding

struct Exchange {
  size_t a = 0, b = 0;  // places; a == b: there is none
  double price = std::numeric_limits<double>::infinity();

  bool found() const { return a != b; }
  void offer(size_t i, size_t j, double at) {
    if (at < price) *this = {i, j, at};
  }
};

double mean_of_first(std::span<const int> order, std::span<const double> values, size_t first) {
  double sum = 0;
  for (const int item : order.first(first)) sum += values[size_t(item)];
  return sum / double(first);
}

// Of the first for one of the others. mending: who adds to the mean at the least score; else who
// adds most score while the sum of values may fall by `spare`.
Exchange best_exchange(std::span<const int> order, std::span<const double> scores,
                       std::span<const double> values, size_t first, bool mending, double spare) {
  Exchange best;
  for (size_t i = 0; i < first; ++i) {
    for (size_t j = first; j < order.size(); ++j) {
      const auto in = size_t(order[j]), out = size_t(order[i]);
      const double adds = values[in] - values[out], costs = scores[out] - scores[in];
      if (mending && adds > kEnough) best.offer(i, j, costs / adds);
      if (!mending && costs < -kEnough && adds >= -spare) best.offer(i, j, costs);
    }
  }
  return best;
}

// Exposure of every group while items are exchanged.
class Shares {
 public:
  Shares(std::span<const int> order, const ExposureTarget& target, size_t first)
      : target_(&target), first_(std::min(first, order.size())) {
    for (size_t place = 0; place < first_; ++place) total_ += rank_discount(place);
    shares_.assign(target.shares.size(), 0);
    for (size_t place = 0; place < first_; ++place) add(order[place], rank_discount(place));
  }

  const std::vector<double>& values() const { return shares_; }
  size_t first() const { return first_; }

  // Of the items at places a and b.
  void exchange(std::span<const int> order, size_t a, size_t b) {
    const double more = weight(a) - weight(b);  // what the item at b wins by it
    add(order[b], more);
    add(order[a], -more);
  }

 private:
  double weight(size_t place) const { return place < first_ ? rank_discount(place) : 0; }
  void add(int item, double exposure) {
    const auto& groups = target_->groups[size_t(item)];
    for (const uint32_t group : groups) {
      shares_[group] += exposure / double(groups.size()) / total_;
    }
  }

  const ExposureTarget* target_;
  size_t first_;
  double total_ = 0;
  std::vector<double> shares_;
};

}  // namespace

void meet_mean(std::span<int> order, std::span<const double> scores, std::span<const double> values,
               size_t first, double bound) {
  first = std::min(first, order.size());
  if (first == 0) return;
  std::vector<size_t> rank(scores.size());
  for (size_t place = 0; place < order.size(); ++place) rank[size_t(order[place])] = place;
  double spare = (mean_of_first(order, values, first) - bound) * double(first);
  bool mending = spare < -kEnough;
  if (!mending) return;
  for (;;) {  // mending adds to the values, what follows to the scores: it ends
    mending = mending && spare < -kEnough;
    const double may_fall = std::max(0.0, spare);
    const Exchange move = best_exchange(order, scores, values, first, mending, may_fall);
    if (!move.found()) break;
    spare += values[size_t(order[move.b])] - values[size_t(order[move.a])];
    std::swap(order[move.a], order[move.b]);
  }
  const auto before = [&](int a, int b) { return rank[size_t(a)] < rank[size_t(b)]; };
  std::sort(order.begin(), order.begin() + std::ptrdiff_t(first), before);
  std::sort(order.begin() + std::ptrdiff_t(first), order.end(), before);
}

std::vector<double> exposure_shares(std::span<const int> order, const ExposureTarget& target,
                                    size_t first) {
  return Shares(order, target, first).values();
}

double exposure_missed(std::span<const double> shares, const ExposureTarget& target) {
  PODIUM_CHECK(shares.size() == target.shares.size());
  double missed = 0;
  for (size_t g = 0; g < shares.size(); ++g) {
    missed += std::max(0.0, std::abs(shares[g] - target.shares[g]) - target.tolerance);
  }
  return missed < 1e-9 ? 0 : missed;
}

void meet_exposure(std::span<int> order, std::span<const double> scores,
                   const ExposureTarget& target, size_t first) {
  Shares shares(order, target, first), trial = shares;
  double missed = exposure_missed(shares.values(), target);
  const auto score = [&](size_t place) { return scores[size_t(order[place])]; };
  for (size_t step = 0; missed > 0 && step < 4 * shares.first(); ++step) {
    Exchange best;
    for (size_t a = 0; a < shares.first(); ++a) {
      for (size_t b = a + 1; b < order.size(); ++b) {
        if (target.groups[size_t(order[a])] == target.groups[size_t(order[b])]) continue;
        trial = shares;
        trial.exchange(order, a, b);
        const double mends = missed - exposure_missed(trial.values(), target);
        const double costs = (score(a) - score(b)) * (rank_discount(a) - rank_discount(b));
        if (mends > 1e-9) best.offer(a, b, costs / mends);
      }
    }
    if (!best.found()) return;
    shares.exchange(order, best.a, best.b);
    std::swap(order[best.a], order[best.b]);
    missed = exposure_missed(shares.values(), target);
  }
}

}  // namespace podium::policy
