// What a dataset holds, in numbers, as text, JSON and a page.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/json.h"
#include "podium/data/dataset.h"

namespace podium::data {

inline constexpr std::array<double, 7> kQuantiles = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};

struct Description {
  std::string name;
  size_t users = 0, items = 0, events = 0, items_with_text = 0;
  size_t repeats = 0, last_repeats = 0;   // events, and users' last events, whose item the user had
  int64_t first_time = 0, last_time = 0;  // unix seconds
  std::array<uint32_t, kQuantiles.size()> history{};              // events a user
  std::array<uint32_t, kQuantiles.size()> popularity{};           // events an item
  std::vector<uint32_t> history_histogram, popularity_histogram;  // [i]: 2^i .. 2^(i+1) - 1 events
};

// The setting of `podium train --seen` that the repeats speak for: "decay" where at least one in
// twenty last events is one, else "exclude".
std::string_view proposed_seen_rule(const Description& description);

Description describe(const Dataset& dataset);
std::string describe_text(const Description& description);
inline constexpr const char* kDescribeMark =
    "<meta name=\"generator\" content=\"podium data describe\">";  // in every such page
std::string describe_html(const Description& description);         // one file, no references
Json describe_json(const Description& description);

}  // namespace podium::data
