// What tells items apart that share all codes but the last.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/sid/sid_table.h"

namespace podium::sid {

// z_L of every item drawn among the codes that its prefix has not given out. Where a prefix holds
// more items than there are last codes, its surplus moves first to the sibling with the most room;
// a prefix that is still too full gives its codes out again. A function of the seed.
void draw_last_level(SidTable& table, uint64_t seed);

// z_L of every item by its distance to the codes, no code of a prefix given out twice before all
// were once: assign_evenly() of each prefix, its surplus moved as above.
// residuals [items, dim], what the levels before leave; centroids [codes, dim] of the last level.
void spread_last_level(SidTable& table, std::span<const float> residuals,
                       std::span<const float> centroids);

// A code for each of n rows, each code at most ceil(n / codes) times. Sinkhorn's plan (Cuturi 2013;
// as LC-Rec 2311.09049 uses it) shares rows and codes evenly at the least distance; its entries are
// then taken largest first. distances [n, codes].
std::vector<uint16_t> assign_evenly(std::span<const float> distances, size_t codes);

}  // namespace podium::sid
