// Accuracy and variety of ranked slates side by side: what an order gains in the one and pays in
// the other. The measures: base/ndcg.h, data/list_measures.h.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/data/item_facts.h"
#include "podium/eval/bootstrap.h"

namespace podium::eval {

struct ListMetrics {
  double ndcg = 0, alpha_ndcg = 0;    // of the labels; the latter pays less for more of a category
  double coverage = 0, distance = 0;  // of the items, whatever the labels
};

// items: best first; gains[r]: the label of items[r]. The first `at` count.
ListMetrics list_metrics(const data::ItemFacts& facts, std::span<const data::ItemIndex> items,
                         std::span<const uint8_t> gains, size_t at);

// Their mean; all 0 for none. The order of the sum is that of `all`.
ListMetrics mean_of(std::span<const ListMetrics> all);

inline constexpr double kNoTrade = std::numeric_limits<double>::quiet_NaN();

// One way to order slates, with the means over them.
struct FrontPoint {
  std::string order;        // "upstream", "mmr", "dpp", "gr2-rl", ...
  double trade = kNoTrade;  // of variety against relevance, where it has one
  ListMetrics mean;
  // Where users are simulated, what they would click of a slate's first `at`; and of a policy, how
  // much more than of the best order that is none.
  double clicks = std::numeric_limits<double>::quiet_NaN();
  std::optional<Estimate> clicks_gain = {};
};

struct Front {
  std::string split;
  size_t slates = 0, at = 10;
  std::vector<FrontPoint> points;
};

Json to_json(const Front& front);
std::string front_table(const Front& front);  // for the terminal

}  // namespace podium::eval
