#include "podium/policy/diversify.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/error.h"

namespace podium::policy {
namespace {

using data::ItemFacts;
using data::ItemIndex;

constexpr double kShrink = 0.9;

std::vector<double> scaled(std::span<const float> relevance) {
  const size_t n = relevance.size();
  std::vector<double> values(relevance.begin(), relevance.end());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (n == 0 || *low == *high) {
    for (size_t i = 0; i < n; ++i) values[i] = 1 - double(i) / double(n);
    return values;
  }
  const double least = *low, range = *high - *low;
  for (double& value : values) value = (value - least) / range;
  return values;
}

// Takes the best of what is left, by score(item), and tells what was taken, until none is left.
template <class Score, class Take>
std::vector<int> greedy(size_t n, const Score& score, const Take& take) {
  std::vector<int> order, left(n);
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty()) {
    const auto best = std::max_element(left.begin(), left.end(),
                                       [&](int a, int b) { return score(a) < score(b); });
    order.push_back(*best);
    left.erase(best);
    take(order.back(), left);
  }
  return order;
}

}  // namespace

std::vector<int> mmr_order(const ItemFacts& facts, std::span<const ItemIndex> items,
                           std::span<const float> relevance, double trade) {
  PODIUM_CHECK(items.size() == relevance.size() && trade >= 0 && trade <= 1);
  const auto relevant = scaled(relevance);
  std::vector<double> nearest(items.size(), 0);  // largest similarity to what stands already
  return greedy(
      items.size(),
      [&](int i) {
        return (1 - trade) * relevant[size_t(i)] - trade * std::max(0.0, nearest[size_t(i)]);
      },
      [&](int taken, const std::vector<int>& left) {
        for (const int i : left) {
          const double alike = data::similarity(facts, items[size_t(taken)], items[size_t(i)]);
          nearest[size_t(i)] = std::max(nearest[size_t(i)], alike);
        }
      });
}

std::vector<int> dpp_order(const ItemFacts& facts, std::span<const ItemIndex> items,
                           std::span<const float> relevance, double trade) {
  PODIUM_CHECK(items.size() == relevance.size() && trade >= 0 && trade <= 1);
  const auto relevant = scaled(relevance);
  const size_t n = items.size();
  // Of the similarities' factor: a row an item, a column an item taken; and what is left of each
  // item's own 1, the factor by which it would multiply the determinant.
  std::vector<std::vector<double>> row(n);
  std::vector<double> adds(n, 1);
  return greedy(
      n,
      [&](int i) { return (1 - trade) * relevant[size_t(i)] + trade * std::log(adds[size_t(i)]); },
      [&](int taken, const std::vector<int>& left) {
        const auto& t = row[size_t(taken)];
        const double root = std::sqrt(adds[size_t(taken)]);
        for (const int i : left) {
          auto& own = row[size_t(i)];
          const double alike = data::similarity(facts, items[size_t(taken)], items[size_t(i)]);
          const double known = std::inner_product(t.begin(), t.end(), own.begin(), 0.0);
          own.push_back((kShrink * alike - known) / root);
          adds[size_t(i)] -= own.back() * own.back();
        }
      });
}

}  // namespace podium::policy
