// The semantic IDs of a catalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace podium::sid {

// "<s_a_57><s_b_7><s_c_23><s_d_4>"
std::string spell(std::span<const uint16_t> codes);

// The SIDs of a catalogue. codes[i * levels + k] in [0, codes_per_level).
struct SidTable {
  int levels = 0;
  int codes_per_level = 0;
  std::vector<uint16_t> codes;  // [items, levels]

  size_t items() const { return levels == 0 ? 0 : codes.size() / levels; }
  std::span<const uint16_t> of(uint32_t item) const {
    return {codes.data() + size_t(item) * levels, size_t(levels)};
  }
  double uniqueness() const;  // distinct SIDs / items
  std::string spell(uint32_t item) const;
};

}  // namespace podium::sid
