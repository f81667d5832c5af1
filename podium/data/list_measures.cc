#include "podium/data/list_measures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "podium/base/ndcg.h"

namespace podium::data {
namespace {

// The nuggets of an item; one number of its own, above all categories', where it has none.
std::vector<uint32_t> nuggets_of(const ItemFacts& facts, ItemIndex item) {
  const auto& categories = facts.categories[item];
  return categories.empty() ? std::vector<uint32_t>{~item} : categories;
}

// Nuggets count half as much each time that they are seen.
class Novelty {
 public:
  double gain(const std::vector<uint32_t>& nuggets) const {
    double sum = 0;
    for (const uint32_t nugget : nuggets) {
      const auto seen = seen_.find(nugget);
      sum += std::exp2(seen == seen_.end() ? 0 : -seen->second);
    }
    return sum;
  }
  void see(const std::vector<uint32_t>& nuggets) {
    for (const uint32_t nugget : nuggets) ++seen_[nugget];
  }

 private:
  std::map<uint32_t, int> seen_;
};

// alpha-DCG of these sets of nuggets, each moved up by who gains most where `greedy`.
double alpha_dcg(std::vector<std::vector<uint32_t>> sets, size_t at, bool greedy) {
  Novelty novelty;
  double sum = 0;
  for (size_t r = 0; r < std::min(at, sets.size()); ++r) {
    const auto here = sets.begin() + std::ptrdiff_t(r);
    if (greedy) {
      const auto best = std::max_element(here, sets.end(), [&](const auto& a, const auto& b) {
        return novelty.gain(a) < novelty.gain(b);
      });
      std::iter_swap(here, best);
    }
    sum += novelty.gain(*here) * rank_discount(r);
    novelty.see(*here);
  }
  return sum;
}

}  // namespace

double alpha_ndcg(const ItemFacts& facts, std::span<const ItemIndex> items,
                  std::span<const uint8_t> gains, size_t at) {
  std::vector<std::vector<uint32_t>> sets(items.size());
  for (size_t r = 0; r < items.size(); ++r) {
    if (gains[r] > 0) sets[r] = nuggets_of(facts, items[r]);
  }
  const double ideal = alpha_dcg(sets, at, /*greedy=*/true);
  return ideal > 0 ? std::min(1.0, alpha_dcg(sets, at, false) / ideal) : 0;
}

double category_coverage(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at) {
  std::set<uint32_t> first, all;
  for (size_t r = 0; r < items.size(); ++r) {
    const auto& own = facts.categories[items[r]];
    all.insert(own.begin(), own.end());
    if (r < at) first.insert(own.begin(), own.end());
  }
  return all.empty() ? 0 : double(first.size()) / double(all.size());
}

double intra_list_distance(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at) {
  const size_t n = std::min(at, items.size());
  if (n < 2) return 0;
  double sum = 0;
  for (size_t a = 0; a < n; ++a) {
    for (size_t b = a + 1; b < n; ++b) {
      sum += 1 - std::clamp(similarity(facts, items[a], items[b]), 0.0, 1.0);
    }
  }
  return sum / (double(n) * double(n - 1) / 2);
}

double discounted_mean(std::span<const double> values, size_t at) {
  double sum = 0, weights = 0;
  for (size_t r = 0; r < std::min(at, values.size()); ++r) {
    sum += values[r] * rank_discount(r);
    weights += rank_discount(r);
  }
  return weights > 0 ? sum / weights : 0;
}

double exposure_parity(const ItemFacts& facts, std::span<const ItemIndex> items, size_t at) {
  const size_t n = std::min(at, items.size());
  double exposure = 0;
  for (size_t r = 0; r < n; ++r) exposure += rank_discount(r);
  std::map<uint32_t, double> excess;  // share of exposure minus share of items
  for (size_t r = 0; r < items.size(); ++r) {
    double& own = excess[facts.group[items[r]]];
    own -= 1 / double(items.size());
    if (r < n) own += rank_discount(r) / exposure;
  }
  double deviation = 0;
  for (const auto& [group, share] : excess) deviation += std::abs(share);
  return 1 - deviation / 2;
}

}  // namespace podium::data
