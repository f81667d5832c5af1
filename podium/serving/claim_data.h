// What claims are made from and proved against. People are those of the bundle's events; what they
// did since is in the log of the state, which nobody reads whole for a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/serving/live_state.h"
#include "podium/sid/sid_table.h"

namespace podium::serving {

// The training log and its catalogue, and what came after. All must outlive it.
struct ClaimData {
  const data::Dataset& dataset;
  const sid::SidTable& sids;  // of the dataset's items
  bool timed;                 // whether its events have real times
  const LiveState& state;

  // What the catalogue tells of an item: the bundle's word before the live one, as everywhere.
  std::optional<LiveItem> item(std::string_view id) const {
    const auto index = dataset.find_item(id);
    if (!index) return state.item(id);
    LiveItem facts{.id = std::string(id),
                   .title = std::string(dataset.title(*index)),
                   .brand = std::string(dataset.brand(*index)),
                   .description = {},
                   .categories = {},
                   .price = dataset.price(*index)};
    for (const auto category : dataset.categories(*index)) facts.categories.emplace_back(category);
    return facts;
  }
};

// To whom items are explained: a user, or whoever has this history.
struct Subject {
  std::string user = {};
  std::vector<std::string> history = {};  // item ids, oldest first
  std::vector<int64_t> times = {};        // of it, unix seconds; empty: unknown
};

}  // namespace podium::serving
