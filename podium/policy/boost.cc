#include "podium/policy/boost.h"

#include <algorithm>
#include <cmath>

#include "podium/policy/condition.h"

namespace podium::policy {
namespace {

bool agree_with_order(std::span<const RankedItem> items, std::span<const int> order) {
  for (size_t i = 1; i < order.size(); ++i) {
    if (!(items[size_t(order[i - 1])].score >= items[size_t(order[i])].score)) return false;
  }
  const double range = items[size_t(order.front())].score - items[size_t(order.back())].score;
  return range > 0 && std::isfinite(range);
}

// 2^-(age / half_life) of times, the scaled values of other numbers.
std::vector<std::optional<double>> worth(const Boost& boost, const Column& column,
                                         std::span<const int> order, int64_t now) {
  std::vector<std::optional<double>> values;
  for (const int item : order) values.push_back(number_of(column[size_t(item)]));
  if (boost.half_life == 0) return scaled_known(values);
  for (auto& value : values) {
    if (value) value = std::exp2(-std::max(0.0, double(now) - *value) / boost.half_life);
  }
  return values;
}

}  // namespace

std::vector<double> relevance(std::span<const RankedItem> items, std::span<const int> order) {
  std::vector<double> scores(items.size(), 0);
  if (order.empty()) return scores;
  const bool agree = agree_with_order(items, order);
  const double low = items[size_t(order.back())].score;
  const double range = items[size_t(order.front())].score - low;
  for (size_t place = 0; place < order.size(); ++place) {
    const auto item = size_t(order[place]);
    scores[item] =
        agree ? (items[item].score - low) / range : 1 - double(place) / double(order.size());
  }
  return scores;
}

std::vector<double> boost_gains(const Boost& boost, std::span<const int> order, Columns& columns,
                                const RulesContext& context) {
  std::vector<double> gains(columns.items(), 0);
  const ConditionOn condition(boost.when, columns, context);
  std::vector<int> matching;
  for (const int item : order) {
    if (condition.holds(size_t(item))) matching.push_back(item);
  }
  if (boost.field.empty()) {
    for (const int item : matching) gains[size_t(item)] = boost.weight;
    return gains;
  }
  const auto values = worth(boost, columns.of(boost.field), matching, context.now);
  const double unknown = known_mean(values);
  for (size_t i = 0; i < matching.size(); ++i) {
    gains[size_t(matching[i])] = boost.weight * values[i].value_or(unknown);
  }
  return gains;
}

}  // namespace podium::policy
