// Who takes a place that is left to chance, and how likely that was: the propensity that an
// impression log needs for off-policy estimates.
//
// A propensity is the chance of this item at this place given the places above it: their product
// over the places is that of the whole list, exactly, under any caps and pins.
//   epsilon-greedy  with epsilon one of the offered, uniformly, else the first: exact.
//   LinUCB          (Li et al., 2010) the largest theta x + alpha sqrt(x' A^-1 x); by itself it
//                   leaves nothing to chance (propensity 1), with epsilon as above: exact.
//   Thompson        (Chapelle and Li, 2011) `draws` vectors of success rates are drawn from the
//                   items' Beta distributions; each place takes one of them at random, and of the
//                   offered who is best by it. The propensity is the share of the vectors by which
//                   it would be the same: exact given the vectors, of which the seed decides, and a
//                   Monte Carlo estimate of Thompson sampling's own.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/policy/rule_set.h"
#include "podium/policy/slate.h"

namespace podium::policy {

// For one slate. What it is given must outlive it.
class Explorer {
 public:
  struct Choice {
    size_t at = 0;  // in what was offered
    double propensity = 1;
  };

  // rule: null for none. Throws nothing: without what the method needs it does not explore.
  Explorer(const Explore* rule, std::span<const RankedItem> items, const RulesContext& context);

  // Why it cannot do what the rule asks for; empty: it can.
  const std::string& missing() const { return missing_; }
  // How many of the best to offer for this place, from 1. 1: nothing is left to chance.
  size_t window(int place) const;
  // offered: indices, best first, one at least.
  Choice choose(std::span<const int> offered);

 private:
  void prepare_counts();
  void prepare_linear();
  Choice thompson(std::span<const int> offered);
  Choice epsilon(size_t best, size_t offered);
  const std::vector<float>& draws(int item);

  const Explore* rule_;
  std::span<const RankedItem> items_;
  const RulesContext& context_;
  Rng rng_;
  std::string missing_;
  std::vector<double> bounds_;             // [items] of LinUCB
  std::vector<std::vector<float>> drawn_;  // [items][draws] of Thompson; empty until asked for
};

// theta x + alpha sqrt(x' A^-1 x), theta = A^-1 b, for every item; empty where the state is no
// such: of other sizes, not finite, or its A not positive definite.
std::vector<double> upper_bounds(const LinearState& state, size_t items, double alpha);

// From Beta(successes, failures), by two Gamma variates (Marsaglia and Tsang, 2000).
double beta_draw(const BetaCounts& counts, Rng& rng);

}  // namespace podium::policy
