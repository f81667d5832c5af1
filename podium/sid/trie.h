// The prefixes that exist among a catalogue's SIDs, for decoding that can only name items.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "podium/sid/codebook.h"

namespace podium::sid {

// A node is a prefix: `depth` codes, and its number among the prefixes of that depth, which are
// numbered in lexicographic order. The root is node 0 of depth 0; the children of a node are
// consecutive nodes of the next depth; those of depth `levels` are whole SIDs.
// Six bytes a node and four an item. Immutable and thread-safe.
class SidTrie {
 public:
  explicit SidTrie(const SidTable& table);

  int levels() const { return int(depths_.size()) - 1; }
  size_t nodes(int depth) const { return depths_[size_t(depth)].code.size(); }

  // Of a node with depth < levels: the codes of its children, ascending, and the first child; the
  // i-th child is node first_child + i.
  std::span<const uint16_t> next_codes(int depth, uint32_t node) const {
    const uint32_t* begin = &depths_[size_t(depth)].begin[node];
    return {depths_[size_t(depth) + 1].code.data() + begin[0], begin[1] - begin[0]};
  }
  uint32_t first_child(int depth, uint32_t node) const {
    return depths_[size_t(depth)].begin[node];
  }
  // Items whose SID starts with the node's codes, in order of SID; equal SIDs in order of item.
  std::span<const uint32_t> items(int depth, uint32_t node) const;

  // The node of a prefix (at most levels codes), if there is one.
  std::optional<uint32_t> find(std::span<const uint16_t> prefix) const;

 private:
  struct Depth {
    std::vector<uint16_t> code;   // [nodes], the prefix's last; of the root 0
    std::vector<uint32_t> begin;  // [nodes + 1], first child; of whole SIDs first in items_
  };
  std::vector<Depth> depths_;    // [levels + 1]
  std::vector<uint32_t> items_;  // in order of SID
};

}  // namespace podium::sid
