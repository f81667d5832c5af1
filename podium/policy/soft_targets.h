// Objectives and exposures of a rule set on one slate: steered to, and measured in the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

// Rules and columns must outlive it.
class SoftTargets {
 public:
  // places: of the request; a rule's first places are at most so many.
  SoftTargets(const RuleSet& rules, Columns& columns, size_t places)
      : rules_(rules), columns_(columns), places_(places) {}

  // Both change the order alone (steer.h).
  void meet(const Objective& rule, std::span<int> order, std::span<const double> scores) const;
  void meet(const Exposure& rule, std::span<int> order, std::span<const double> scores) const;

  // Adds to outcome.unmet which of them miss what they ask for in outcome.placed. candidates: all
  // that could have been placed.
  void tell_missed(std::span<const int> candidates, Outcome& outcome) const;

 private:
  size_t first(int of_rule) const { return std::min(places_, size_t(of_rule)); }
  // [items] by index: the field's number, the candidates' mean where it is unknown; empty where no
  // candidate has one.
  std::vector<double> values(const Objective& rule, std::span<const int> candidates) const;
  // [items] the numbers of the rule's targets that an item counts for.
  std::vector<std::vector<uint32_t>> groups(const Exposure& rule) const;

  const RuleSet& rules_;
  Columns& columns_;
  size_t places_;
};

}  // namespace podium::policy
