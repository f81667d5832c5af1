#include "podium/rerank/evasions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "podium/base/rng.h"
#include "podium/rerank/reward.h"

namespace podium::rerank {
namespace {

constexpr double kNothing = 1e-9;

using Order = std::vector<int>;

Order input_order(size_t k) {
  Order order(k);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Order with_last_swapped(size_t k) {
  Order order = input_order(k);
  std::swap(order[k - 2], order[k - 1]);
  return order;
}

Order with_first(size_t place, size_t k) {
  Order order = input_order(k);
  const auto end = order.begin() + std::ptrdiff_t(place < k ? place + 1 : 1);
  std::rotate(order.begin(), end - 1, end);
  return order;
}

Order best_order(const Slate& slate) {
  Order order = input_order(slate.candidates.size());
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return slate.candidates[size_t(a)].gain > slate.candidates[size_t(b)].gain;
  });
  return order;
}

class Evader {
 public:
  Evader(std::span<const Slate> slates, const RewardOptions& options, const data::ItemFacts* facts)
      : slates_(slates), reward_(options, facts), format_(options.alpha) {}

  // answer: of a slate. rotated: over all rotations of each slate.
  Evasion measure(const std::string& name, const std::function<Order(const Slate&)>& answer,
                  bool rotated = false) const {
    Evasion evasion{.name = name};
    for (const Slate& slate : slates_) {
      Slate turned = slate;
      const size_t turns = rotated ? slate.candidates.size() : 1;
      for (size_t turn = 0; turn < turns; ++turn) {
        const Evasion one = judge(turned, answer(turned));
        const double share = 1 / double(turns * slates_.size());
        evasion.reward += one.reward * share;
        evasion.gain += one.gain * share;
        evasion.honest += one.honest * share;
        std::rotate(turned.candidates.begin(), turned.candidates.begin() + 1,
                    turned.candidates.end());
      }
    }
    return evasion;
  }

 private:
  Evasion judge(const Slate& slate, const Order& order) const {
    const auto gains = gains_of(slate);
    const Order input = input_order(gains.size());
    const double of_input = ndcg(gains, input, gains.size());
    return {.reward = reward_(slate, order),
            .gain = ndcg(gains, order, gains.size()) - of_input,
            .honest = of_input > 1 - kNothing ? reward_(slate, input) : format_};
  }

  std::span<const Slate> slates_;
  SlateReward reward_;
  double format_;
};

}  // namespace

bool Evasion::pays() const { return reward > honest + kNothing && gain < kNothing; }

std::vector<Evasion> measure_evasions(std::span<const Slate> slates, const RewardOptions& options,
                                      const data::ItemFacts* facts, uint64_t seed) {
  const Evader evader(slates, options, facts);
  const auto places = [](auto order) {
    return [order](const Slate& slate) { return order(slate.candidates.size()); };
  };
  size_t longest = 0;
  for (const Slate& slate : slates) longest = std::max(longest, slate.candidates.size());
  std::vector<Evasion> all = {evader.measure("copy", places(input_order)),
                              evader.measure("swap-last", places(with_last_swapped))};
  for (size_t place = 1; place < longest; ++place) {
    all.push_back(evader.measure(fmt::format("promote-{}", place + 1),
                                 places([place](size_t k) { return with_first(place, k); })));
  }
  const auto blind = [seed](size_t k) {
    Order order = input_order(k);
    Rng rng = Rng(seed).fork("blind").fork(k);
    rng.shuffle(std::span(order));
    return order;
  };
  all.push_back(evader.measure("blind", places(blind), /*rotated=*/true));
  all.push_back(evader.measure("oracle", best_order));
  return all;
}

Json to_json(const std::vector<Evasion>& evasions) {
  Json rows = Json::array();
  for (const Evasion& evasion : evasions) {
    rows.push_back({{"name", evasion.name},
                    {"reward", evasion.reward},
                    {"gain", evasion.gain},
                    {"honest", evasion.honest},
                    {"pays", evasion.pays()}});
  }
  return rows;
}

}  // namespace podium::rerank
