#include "podium/policy/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "podium/policy/alike.h"
#include "podium/policy/boost.h"
#include "podium/policy/condition.h"
#include "podium/policy/place.h"
#include "podium/policy/soft_targets.h"

namespace podium::policy {
namespace {

// A soft step and where it found and left every item, by index.
struct Step {
  const Named* rule = nullptr;
  std::vector<int> before = {}, after = {};
};

class Application {
 public:
  Application(const RuleSet& rules, std::span<const RankedItem> items, const ItemFields& fields,
              const RulesContext& context)
      : rules_(rules),
        items_(items),
        fields_(fields),
        context_(context),
        columns_(fields, items.size()),
        order_(items.size()) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  Outcome run() {
    for (const Filter& filter : rules_.filters) remove_filtered(filter);
    find_pins();
    score();
    if (rules_.duplicates) remove_duplicates(*rules_.duplicates);
    steer();
    place({rules_, items_, order_, pins_, columns_, context_}, outcome_);
    SoftTargets(rules_, columns_, context_.k).tell_missed(order_, outcome_);
    explain();
    return std::move(outcome_);
  }

 private:
  bool leaves(const Filter& filter, const ConditionOn& condition, size_t item) const {
    switch (filter.kind) {
      case Filter::Kind::kSeen:
        return context_.seen.count(items_[item].id) > 0;
      case Filter::Kind::kBlocked:
        return filter.blocked.find(items_[item].id) != filter.blocked.end();
      default:
        break;
    }
    const Truth truth = condition.of(item);
    if (truth == Truth::kUnknown) return filter.unknown_leaves;
    return (truth == Truth::kYes) == (filter.kind == Filter::Kind::kDrop);
  }

  void remove_filtered(const Filter& filter) {
    const ConditionOn condition(filter.condition, columns_, context_);
    std::erase_if(order_, [&](int item) {
      if (!leaves(filter, condition, size_t(item))) return false;
      outcome_.removed.push_back({size_t(item), filter.name, filter.reason});
      return true;
    });
  }

  // Those that apply; an item that is not there is told.
  void find_pins() {
    for (const Pin& pin : rules_.pins) {
      const auto found = std::find_if(items_.begin(), items_.end(),
                                      [&](const RankedItem& item) { return item.id == pin.item; });
      const auto item = size_t(found - items_.begin());
      const Truth applies = ConditionOn(pin.when, columns_, context_).of(item);
      if (found == items_.end() && applies != Truth::kNo) {
        outcome_.unmet.push_back(
            {pin.name, fmt::format("'{}' is not among the candidates", pin.item)});
      } else if (applies == Truth::kYes) {
        pins_.emplace_back(&pin, int(item));
      }
    }
  }

  void score() {
    scores_ = relevance(items_, order_);
    if (rules_.boosts.empty()) return;
    for (const Boost& boost : rules_.boosts) {
      gains_.push_back(boost_gains(boost, order_, columns_, context_));
      for (const int item : order_) scores_[size_t(item)] += gains_.back()[size_t(item)];
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [&](int a, int b) { return scores_[size_t(a)] > scores_[size_t(b)]; });
  }

  void remove_duplicates(const Duplicates& rule) {
    std::vector<int> sequence;  // pinned ones first
    for (const auto& [pin, item] : pins_) sequence.push_back(item);
    std::erase_if(sequence, [&](int item) {
      return std::find(order_.begin(), order_.end(), item) == order_.end();
    });
    const size_t pinned = sequence.size();
    for (const int item : order_) {
      const auto end = sequence.begin() + std::ptrdiff_t(pinned);
      if (std::find(sequence.begin(), end, item) == end) sequence.push_back(item);
    }
    for (const auto& [item, like] : near_duplicates(rule, sequence, columns_.of(rule.field))) {
      const Reason reason = reason_of(rule, fmt::format("like '{}'", items_[size_t(like)].id));
      outcome_.removed.push_back({size_t(item), reason.rule, reason.text});
      order_.erase(std::find(order_.begin(), order_.end(), item));
    }
  }

  std::vector<int> ranks() const {
    std::vector<int> ranks(items_.size(), 0);
    for (size_t place = 0; place < order_.size(); ++place) {
      ranks[size_t(order_[place])] = int(place) + 1;
    }
    return ranks;
  }

  template <class Change>
  void step(const Named& rule, const Change& change) {
    Step step{&rule, ranks()};
    change();
    step.after = ranks();
    steps_.push_back(std::move(step));
  }

  void steer() {
    if (rules_.diversity) {
      step(*rules_.diversity, [&] {
        if (diversify(*rules_.diversity, order_, scores_, columns_, fields_)) return;
        outcome_.unmet.push_back({rules_.diversity->name, "no item has what it compares"});
      });
    }
    SoftTargets targets(rules_, columns_, context_.k);
    for (const Objective& rule : rules_.objectives) {
      step(rule, [&] { targets.meet(rule, order_, scores_); });
    }
    for (const Exposure& rule : rules_.exposures) {
      step(rule, [&] { targets.meet(rule, order_, scores_); });
    }
  }

  // What soft rules did to those that were placed, before what placing did.
  void explain() {
    for (PlacedItem& placed : outcome_.placed) {
      std::vector<Reason> soft;
      for (size_t b = 0; b < gains_.size(); ++b) {
        const double gain = gains_[b][placed.index];
        if (std::abs(gain) < 0.005) continue;
        soft.push_back(reason_of(rules_.boosts[b], fmt::format("boosted by {:+.2f}", gain)));
      }
      for (const Step& step : steps_) {
        const int before = step.before[placed.index], after = step.after[placed.index];
        if (after >= before) continue;
        soft.push_back(reason_of(*step.rule, fmt::format("moved from {} to {}", before, after)));
      }
      placed.reasons.insert(placed.reasons.begin(), std::make_move_iterator(soft.begin()),
                            std::make_move_iterator(soft.end()));
    }
  }

  const RuleSet& rules_;
  std::span<const RankedItem> items_;
  const ItemFields& fields_;
  const RulesContext& context_;
  Columns columns_;
  Outcome outcome_;
  std::vector<int> order_;      // indices of who is left, best first
  std::vector<double> scores_;  // [items] by index
  std::vector<std::pair<const Pin*, int>> pins_;
  std::vector<std::vector<double>> gains_;  // [boosts][items]
  std::vector<Step> steps_;
};

}  // namespace

Outcome apply(const Rules& rules, std::span<const RankedItem> items, const ItemFields& fields,
              const RulesContext& context) {
  return Application(rules.set(), items, fields, context).run();
}

}  // namespace podium::policy
