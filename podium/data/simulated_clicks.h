// What the simulated users of a dataset would click of other orders of the slates that they saw.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "podium/data/click_model.h"
#include "podium/data/split.h"

namespace podium::data {

// Immutable and thread-safe. The dataset's manifest tells the options of its shop (simulate.h), so
// its users' lives are lived again, and each slate's click model with them.
class SimulatedClicks {
 public:
  // nullopt unless the dataset was simulated and the phase asks for its slates. Throws Error when
  // the simulator has changed since: a slate that it no longer shows.
  static std::optional<SimulatedClicks> of(const Dataset& dataset, const Phase& phase);
  static bool knows(const Dataset& dataset);  // it was simulated

  // Expected clicks on the target's slate with these items at its first places: distinct ones of
  // the slate; some may be left out.
  double expected(size_t target, std::span<const ItemIndex> items) const;
  // All of the slate's items, as click_model.h's best_order has them: what an order can reach by
  // knowing the user.
  std::vector<ItemIndex> best(size_t target) const;

 private:
  struct Shown {
    std::vector<ItemIndex> items;  // [shown] of the dataset, as the model numbers them
    ClickModel model;
  };
  std::vector<Shown> shown_;  // [targets]
};

}  // namespace podium::data
