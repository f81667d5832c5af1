#include "podium/rerank/slate_clicks.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"

namespace podium::rerank {

std::optional<SlateClicks> SlateClicks::of(const data::Split& split) {
  SlateClicks all;
  for (const data::Phase* phase : {&split.slates, &split.valid}) {
    auto clicks = data::SimulatedClicks::of(*phase->fit.dataset, *phase);
    if (!clicks) return {};
    all.add(*phase, std::move(*clicks));
  }
  return all;
}

void SlateClicks::add(const data::Phase& phase, data::SimulatedClicks clicks) {
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const auto best = clicks.best(t);
    std::vector<double> most;
    for (size_t at = 1; at <= best.size(); ++at) {
      most.push_back(clicks.expected(t, std::span(best).first(at)));
    }
    places_[phase.slate_id(t)] = {phases_.size(), t, std::move(most)};
  }
  phases_.push_back(std::move(clicks));
}

double SlateClicks::share(const Slate& slate, std::span<const int> order, size_t at) const {
  const auto found = places_.find(slate.id);
  if (found == places_.end()) {
    throw Error(fmt::format("slate {} was not shown by the simulator", slate.id),
                "train on the slates of this data set's own run");
  }
  const auto& [phase, target, best] = found->second;
  std::vector<ItemIndex> items;
  for (const int i : order.first(std::min(at, order.size()))) {
    items.push_back(slate.candidates[size_t(i)].item);
  }
  const double most = best[std::min(at, best.size()) - 1];
  return most > 0 ? phases_[phase].expected(target, items) / most : 1;
}

}  // namespace podium::rerank
