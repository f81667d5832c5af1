// The verifiable reward of a whole answer: terms, each from 0 to 1, weighted and summed. The policy
// chooses one candidate after another and sees what it has put, so that it can learn what only a
// list has: variety, say.
//
//   ndcg-gain             NDCG, reward.h                                    (at 10)
//   auc-gain   rank       AUC, and the first positive's rank, reward.h
//   alpha-ndcg            NDCG where more of a category gains less          (at 10)
//   coverage              share of the candidates' categories in the first  (at 5)
//   ild                   mean distance of pairs of the first               (at 5)
//   novelty  freshness    discounted mean of the first, data/item_facts.h   (at 5)
//   margin                the same of price over the slate's highest        (at 5)
//   exposure              1 - how far brands' exposure is from their share  (at 5)
//   clicks                simulated clicks, slate_clicks.h                  (at 10)
//
// The reward is the sum minus the input order's own, as for the gains of reward.h, so that copying
// earns nothing. Written "ndcg-gain:1,coverage:0.2,ild:0.2@8": term:weight@ranks; a weight of 1 and
// the ranks above may be left out. Of the lists' measures none changes when candidates change
// places only within the first ranks: with as many ranks as candidates, coverage and ild say
// nothing. "ndcg" or "auc" by itself is the value (TR eq. 5-7), not the gain.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "podium/data/item_facts.h"
#include "podium/rerank/slate.h"
#include "podium/rerank/slate_clicks.h"

namespace podium::rerank {

enum class RewardTerm : uint8_t {
  kNdcg,
  kAuc,
  kRank,
  kAlphaNdcg,
  kCoverage,
  kDistance,
  kNovelty,
  kFreshness,
  kMargin,
  kExposure,
  kClicks
};

struct WeightedTerm {
  RewardTerm term = RewardTerm::kNdcg;
  double weight = 1;
  size_t at = 10;  // ranks that count

  bool operator==(const WeightedTerm&) const = default;
};

struct RewardSpec {
  std::vector<WeightedTerm> terms{WeightedTerm{}};
  bool gain = true;  // minus the input order's own value

  bool needs_facts() const;  // a term is about the items, not only the labels
  bool has(RewardTerm term) const;
};

// Throws Error that names what is wrong: an unknown term, one twice, a weight that is not above 0.
RewardSpec parse_reward(std::string_view text);

// kPlain: alpha for every valid answer. kConditional: the gates against copying, kImproving: the
// same against all that is no better than a copy; below.
enum class RewardGate { kPlain, kConditional, kImproving };

// "plain", "conditional", "improving"; throws Error on others.
RewardGate parse_gate(std::string_view text);

struct RewardOptions {
  RewardSpec spec;
  RewardGate gate = RewardGate::kConditional;
  double alpha = 0.1;  // weight of the format reward
};

// Immutable and thread-safe.
class SlateReward {
 public:
  // facts: of every item of the slates; must outlive it; none are needed unless needs_facts().
  // clicks: of these slates; the same. Throws Error when what a term is about is not there: prices,
  // categories, brands, vectors, a simulator.
  SlateReward(RewardOptions options, const data::ItemFacts* facts,
              const SlateClicks* clicks = nullptr);

  // The weighted sum for candidates in this order, a permutation of the slate's.
  double value(const Slate& slate, std::span<const int> order) const;

  // 0 for an invalid answer, else R + alpha, where R is the value or its gain over the input order.
  // With kConditional the sum is gated:
  // - R is a value: only alpha for the input order copied although it is not optimal (TR);
  // - R is a gain: alpha only for a gain above 0, or 0 where the input order was optimal (v1's
  //   form). An answer no better than a copy earns no more than a copy.
  // The first gate leaks: a copy with its last two swapped is no copy. With kImproving a value,
  // too, is paid only for an answer above the input order, or as good where that was optimal (v1's
  // form), else alpha; a gain as with kConditional.
  // Optimal is what has every term at 1; an order that is best without that earns its copy no
  // bonus.
  double operator()(const Slate& slate, std::span<const int> answer) const;

 private:
  double term_value(const WeightedTerm& weighted, const Slate& slate,
                    std::span<const int> order) const;

  RewardOptions options_;
  const data::ItemFacts* facts_;
  const SlateClicks* clicks_;
  double most_ = 0;  // the sum with every term at 1
};

}  // namespace podium::rerank
