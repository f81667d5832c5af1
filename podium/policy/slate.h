// What the rules of a slate are given, and what comes back of it (apply.h).
//
// A slate is a list of items, best first; an item goes by its index in it, from 0. Places are
// counted from 1.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

namespace podium::policy {

struct RankedItem {
  std::string_view id;
  double score = 0;  // larger is better
};

using FieldValue = std::variant<bool, double, std::string, std::vector<std::string>>;

// What is known of the items of one slate. Called by apply() on its own thread, once an item and
// field.
class ItemFields {
 public:
  virtual ~ItemFields() = default;

  // None: unknown, which is neither zero nor empty. Times are unix seconds.
  virtual std::optional<FieldValue> field(size_t index, std::string_view name) const = 0;
  // [dim] what diversity compares where its rule names no fields; empty: none. Its length does not
  // count.
  virtual std::span<const float> vector(size_t /*index*/) const { return {}; }
};

// How often an item was shown with success and without, each with its prior; both above 0.
struct BetaCounts {
  double successes = 1, failures = 1;
};

// Ridge regression of the outcome on the features: a = ridge x I + sum of x x', b = sum of
// outcome x x.
struct RidgeState {
  std::vector<double> a;  // [dim, dim]
  std::vector<double> b;  // [dim]
};

struct LinearState {
  size_t dim = 0;
  std::span<const double> features;    // [items, dim]
  std::span<const RidgeState> states;  // [1] shared by all, or [items]
};

// One request. What it points to must outlive the call.
struct RulesContext {
  int64_t now = 0;                                          // unix seconds
  size_t k = 10;                                            // places
  uint64_t seed = 0;                                        // same seed, same outcome
  std::map<std::string, std::string, std::less<>> request;  // its fields, such as region
  std::unordered_set<std::string_view> seen;                // ids
  std::span<const BetaCounts> counts = {};                  // [items] for Thompson sampling
  LinearState linear = {};                                  // for LinUCB
};

// What a rule did to an item: "fresh": "+0.12 at 2.0 days".
struct Reason {
  std::string rule, text;
};

struct PlacedItem {
  size_t index = 0;
  std::vector<Reason> reasons;
  std::string label;      // to be shown with the item, of a sponsored place; else empty
  double propensity = 1;  // the chance that it stood here, given the places above (explore.h)
};

struct RemovedItem {
  size_t index = 0;
  std::string rule, reason;
};

// A rule that does not hold in the outcome, or holds for fewer places than were asked for.
struct Unmet {
  std::string rule, why;
};

// Items that were neither placed nor removed stood below the last place.
struct Outcome {
  std::vector<PlacedItem> placed;  // best first, at most k, distinct
  std::vector<RemovedItem> removed;
  std::vector<Unmet> unmet;
};

}  // namespace podium::policy
