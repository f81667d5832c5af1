// The semantic ID of an item that came after the codebooks were fitted.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "podium/sid/codebook.h"
#include "podium/sid/trie.h"

namespace podium::sid {

// The semantic IDs that are taken: the table's, and those of new items.
class TakenSids {
 public:
  explicit TakenSids(const SidTable& table)
      : trained_(table), codes_(size_t(table.codes_per_level)) {}

  void add(const std::vector<uint16_t>& sid) { ++added_[sid]; }
  void remove(const std::vector<uint16_t>& sid);  // one that was added
  // The lowest last code that follows the prefix in none of them; 0 where none is free.
  uint16_t free_code(std::span<const uint16_t> prefix) const;

 private:
  SidTrie trained_;
  size_t codes_;
  std::map<std::vector<uint16_t>, size_t> added_;  // to how many items
};

// By the frozen encoder and codebooks, level by level: z_k = argmin_j |r_k - e_j^(k)|. A last level
// whose codes were drawn and not fitted gives a free code, so that the item has a semantic ID of
// its own. vector [vector_dim()].
std::vector<uint16_t> place(const SidModel& model, std::span<const float> vector,
                            const TakenSids& taken);

}  // namespace podium::sid
