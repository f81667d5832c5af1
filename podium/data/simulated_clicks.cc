#include "podium/data/simulated_clicks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "podium/base/error.h"
#include "podium/data/simulate.h"

namespace podium::data {
namespace {

std::optional<SimulateOptions> options_of(const Dataset& dataset) {
  const Json& manifest = dataset.manifest();
  const auto source = manifest.find("source");
  if (source == manifest.end() || !source->contains("simulate")) return {};
  const Json& saved = (*source)["simulate"];
  SimulateOptions options;
  const auto read = [&](std::string_view name, auto& value, std::string_view) {
    const auto found = saved.find(std::string(name));
    if (found != saved.end()) value = found->get<std::decay_t<decltype(value)>>();
  };
  options.visit(read);
  return options;
}

// The simulator's number of a user (simulate.h).
uint64_t number_of(const Dataset& dataset, UserIndex user) {
  return std::stoull(std::string(dataset.user_id(user))) - 1;
}

}  // namespace

std::optional<SimulatedClicks> SimulatedClicks::of(const Dataset& dataset, const Phase& phase) {
  const auto options = options_of(dataset);
  if (!options || !phase.impressions) return {};
  const Shop shop(*options);
  std::map<UserIndex, std::map<int64_t, size_t>> wanted;  // user, time -> target
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    wanted[phase.targets[t].user][phase.time(t)] = t;
  }
  SimulatedClicks clicks;
  clicks.shown_.resize(phase.targets.size());
  size_t found = 0;
  for (const auto& of_user : wanted) {
    const auto& times = of_user.second;
    simulate_user(shop, *options, number_of(dataset, of_user.first), [&](const ShownSlate& slate) {
      const auto target = times.find(slate.time);
      if (target == times.end()) return;
      Shown& shown = clicks.shown_[target->second];
      shown.model = slate.model;
      for (const uint32_t item : slate.items) {
        shown.items.push_back(*dataset.find_item(fmt::format("p{}", item)));
      }
      ++found;
    });
  }
  if (found == phase.targets.size()) return clicks;
  throw Error(fmt::format("{} of {} slates are not those that the simulator shows",
                          phase.targets.size() - found, phase.targets.size()),
              "make the dataset again with this version: podium data simulate");
}

bool SimulatedClicks::knows(const Dataset& dataset) { return options_of(dataset).has_value(); }

double SimulatedClicks::expected(size_t target, std::span<const ItemIndex> items) const {
  const Shown& shown = shown_[target];
  std::vector<int> order;
  for (const ItemIndex item : items) {
    const auto at = std::find(shown.items.begin(), shown.items.end(), item);
    PODIUM_CHECK(at != shown.items.end());
    order.push_back(int(at - shown.items.begin()));
  }
  return expected_clicks(shown.model, order);
}

std::vector<ItemIndex> SimulatedClicks::best(size_t target) const {
  const Shown& shown = shown_[target];
  std::vector<ItemIndex> items;
  for (const int i : best_order(shown.model)) items.push_back(shown.items[size_t(i)]);
  return items;
}

}  // namespace podium::data
