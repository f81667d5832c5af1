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
    places_[phase.slate_id(t)] = {phases_.size(), t};
  }
  phases_.push_back(std::move(clicks));
}

double SlateClicks::share(const Slate& slate, std::span<const int> order, size_t at) const {
  const auto found = places_.find(slate.id);
  if (found == places_.end()) {
    throw Error(fmt::format("slate {} was not shown by the simulator", slate.id),
                "train on the slates of this data set's own run");
  }
  const auto& [phase, target] = found->second;
  std::vector<ItemIndex> items;
  for (const int i : order.first(std::min(at, order.size()))) {
    items.push_back(slate.candidates[size_t(i)].item);
  }
  const auto best = phases_[phase].best(target);
  const double most =
      phases_[phase].expected(target, std::span(best).first(std::min(at, best.size())));
  return most > 0 ? phases_[phase].expected(target, items) / most : 1;
}

}  // namespace podium::rerank
