// The last step of a slate: who stands where. Caps, pins and sponsored places are decided here,
// whatever the order that came.
//
// 1. Pins take their places, in the file's order; then sponsored places the best item that matches.
//    Nobody gets a place taken before, or one where a cap would be broken: caps are the stronger.
// 2. Every other place, from the first, takes the best item that no cap forbids there, with those
//    counted that stand further down by 1. Where the explorer has a say, it chooses among the best.
// 3. Where no item may stand, the next of 1. moves up if the caps let it; else the list ends.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"
#include "podium/policy/slate.h"

namespace podium::policy {

struct PlaceRequest {
  const RuleSet& rules;
  std::span<const RankedItem> items;
  std::span<const int> order;                        // who may stand: indices, best first
  std::span<const std::pair<const Pin*, int>> pins;  // that apply, with the index of their item
  Columns& columns;
  const RulesContext& context;
};

// Fills outcome.placed, with the reasons that lie here; adds to outcome.removed whom caps kept out
// of a list that is too short, and to outcome.unmet. outcome.removed tells who left before.
void place(const PlaceRequest& request, Outcome& outcome);

// "the rule's reason: text", or the text alone where the rule has no other reason than its name.
Reason reason_of(const Named& rule, const std::string& text);

}  // namespace podium::policy
