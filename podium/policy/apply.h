// Rules on a ranked list: who is shown, where, and why.
//
//   filters      who may not be shown leaves                                     hard
//   boosts       add to the score, and the list is sorted by it                  soft
//   duplicates   of items alike, the best (or pinned) stays                      hard
//   diversity    MMR or DPP                                                      soft
//   objectives   a mean over the first places, one after another                 soft
//   exposure     shares of the exposure, one after another                       soft
//   places       pins, sponsored places, caps, exploration                       hard    place.h
//
// A soft step orders who is left; a later one may undo what an earlier one did, and placement has
// the last word. So hard rules hold in every outcome, with one exception: pins and sponsored places
// give way to filters, duplicates and caps, and are then told in `unmet`, as are caps that leave
// places empty. Objectives and exposure are measured on what was placed, and told when they miss.
#pragma once

#include <span>

#include "podium/policy/rules.h"
#include "podium/policy/slate.h"

namespace podium::policy {

// items: best first, of distinct ids. The outcome depends on the arguments alone. Without rules it
// is the first context.k of the list, as they came. Thread-safe; throws nothing of its own.
Outcome apply(const Rules& rules, std::span<const RankedItem> items, const ItemFields& fields,
              const RulesContext& context);

}  // namespace podium::policy
