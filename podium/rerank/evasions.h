// Ways to answer without reading the slate, and what a reward pays for them. A reward is sound when
// none of them pays: an optimiser finds every one that does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/rerank/slate_reward.h"

namespace podium::rerank {

// A policy that gives the same order of places to all slates, and what it gets on average.
struct Evasion {
  std::string name = {};
  double reward = 0;
  double gain = 0;    // NDCG of all ranks, minus the input order's
  double honest = 0;  // reward of who changes nothing: all of it where the input order is best by
                      // its labels, the format's alone elsewhere

  // More than honesty earns, without a better order.
  bool pays() const;
};

// Over all slates, of at least two candidates; a slate of fewer than p candidates is copied where
// place p is asked for:
//   copy           the input order
//   swap-last      the same with its last two swapped
//   promote-2, ..  place p first, the others in order; for p = 2 to the longest slate's K
//   blind          one order of places, drawn by seed for each K, over every rotation of the list:
//                  each candidate stands at each place equally often, so that it can gain nothing
//   oracle         the labels in descending order: what there is to earn, no evasion
// Throws Error as SlateReward does.
std::vector<Evasion> measure_evasions(std::span<const Slate> slates, const RewardOptions& options,
                                      const data::ItemFacts* facts, uint64_t seed);

Json to_json(const std::vector<Evasion>& evasions);  // [{"name", "reward", "gain", "pays", ...}]

}  // namespace podium::rerank
