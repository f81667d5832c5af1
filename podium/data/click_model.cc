#include "podium/data/click_model.h"

#include <cmath>
#include <numeric>
#include <unordered_map>

#include "podium/base/error.h"

namespace podium::data {
namespace {

// A user on the way down a slate.
class Walk {
 public:
  explicit Walk(const ClickModel& model) : model_(model) {}

  // P(click) of the item at the next position.
  double chance(int item) const {
    const auto earlier = earlier_.find(model_.category[size_t(item)]);
    const double tired = earlier == earlier_.end() ? 0 : model_.fatigue * double(earlier->second);
    return model_.examined[position_] * model_.liked[size_t(item)] * std::exp(-tired);
  }
  void pass(int item) {
    ++earlier_[model_.category[size_t(item)]];
    ++position_;
  }

 private:
  const ClickModel& model_;
  size_t position_ = 0;
  std::unordered_map<uint32_t, int> earlier_;  // items passed, by category
};

}  // namespace

std::vector<double> click_chances(const ClickModel& model, std::span<const int> order) {
  PODIUM_CHECK(order.size() <= model.examined.size());
  Walk walk(model);
  std::vector<double> chances;
  for (const int item : order) {
    chances.push_back(walk.chance(item));
    walk.pass(item);
  }
  return chances;
}

double expected_clicks(const ClickModel& model, std::span<const int> order) {
  const auto chances = click_chances(model, order);
  return std::accumulate(chances.begin(), chances.end(), 0.0);
}

std::vector<int> best_order(const ClickModel& model) {
  Walk walk(model);
  std::vector<int> order, left(model.liked.size());
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty()) {
    auto best = left.begin();
    for (auto other = left.begin(); other != left.end(); ++other) {
      if (walk.chance(*other) > walk.chance(*best)) best = other;
    }
    walk.pass(*best);
    order.push_back(*best);
    left.erase(best);
  }
  return order;
}

}  // namespace podium::data
