// The semantic ID of an item that came after the codebooks were fitted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/sid/codebook.h"

namespace podium::sid {

// By the frozen encoder and codebooks, level by level: z_k = argmin_j |r_k - e_j^(k)|. A last level
// whose codes were drawn and not fitted gives the lowest code that is unused under the prefix, so
// that the item has a semantic ID of its own; the lowest of all where none is free. vector
// [vector_dim()]; others: semantic IDs that were given to new items before. Reads the whole table:
// some milliseconds a million items.
std::vector<uint16_t> place(const SidModel& model, std::span<const float> vector,
                            std::span<const std::vector<uint16_t>> others);

}  // namespace podium::sid
