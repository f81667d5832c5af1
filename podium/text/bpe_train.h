// Learning byte-pair merges (Sennrich et al. 2016) over byte-level words.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace podium::text {

// At most `merges` pairs of token ids, most frequent first (ties: smaller ids), each seen at least
// twice. Ids: bytes 0..255, then one new id a merge.
std::vector<std::pair<int32_t, int32_t>> learn_merges(const std::vector<std::string>& texts,
                                                      int merges);

}  // namespace podium::text
