// What the simulated users of a run's slates would click of other orders of them, found by the
// slates' ids: the environment that a policy learns in where a response depends on what else is
// shown. Of the slates that train and validate; never of the test.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "podium/data/simulated_clicks.h"
#include "podium/rerank/slate.h"

namespace podium::rerank {

// Immutable and thread-safe.
class SlateClicks {
 public:
  SlateClicks() = default;  // knows no slate

  // nullopt unless the dataset was simulated and the split asks for the slates that users saw.
  static std::optional<SlateClicks> of(const data::Split& split);

  // Expected clicks on the first `at` ranks of an order, over those of the best order that knows
  // the user; 1 where nothing would be clicked. Throws Error on a slate that is not the split's.
  double share(const Slate& slate, std::span<const int> order, size_t at) const;

 private:
  void add(const data::Phase& phase, data::SimulatedClicks clicks);

  struct Place {
    size_t phase, target;
    std::vector<double> most;  // [ranks] expected clicks of the best order's first 1, 2, ...
  };
  std::vector<data::SimulatedClicks> phases_;
  std::unordered_map<std::string, Place> places_;  // by slate id
};

}  // namespace podium::rerank
