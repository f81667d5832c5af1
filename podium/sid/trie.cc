#include "podium/sid/trie.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"

namespace podium::sid {
namespace {

// Items in lexicographic order of their SIDs: a stable counting sort by every level, last first.
std::vector<uint32_t> sorted_items(const SidTable& table) {
  std::vector<uint32_t> items(table.items()), next(table.items());
  std::iota(items.begin(), items.end(), 0U);
  std::vector<uint32_t> at(size_t(table.codes_per_level) + 1);
  for (size_t level = size_t(table.levels); level-- > 0;) {
    std::fill(at.begin(), at.end(), 0);
    for (const uint32_t item : items) ++at[table.of(item)[level] + size_t{1}];
    std::partial_sum(at.begin(), at.end(), at.begin());
    for (const uint32_t item : items) next[at[table.of(item)[level]]++] = item;
    items.swap(next);
  }
  return items;
}

// Levels on which two SIDs agree before they first differ.
size_t agreement(std::span<const uint16_t> a, std::span<const uint16_t> b) {
  return size_t(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
}

}  // namespace

SidTrie::SidTrie(const SidTable& table)
    : depths_(size_t(table.levels) + 1), items_(sorted_items(table)) {
  const auto levels = size_t(table.levels);
  depths_[0].code = {0};
  depths_[0].begin = {0};
  for (size_t i = 0; i < items_.size(); ++i) {
    const auto sid = table.of(items_[i]);
    const size_t known = i == 0 ? 0 : agreement(table.of(items_[i - 1]), sid);
    for (size_t depth = known + 1; depth <= levels; ++depth) {
      depths_[depth].code.push_back(sid[depth - 1]);
      depths_[depth].begin.push_back(uint32_t(depth < levels ? depths_[depth + 1].code.size() : i));
    }
  }
  for (size_t depth = 0; depth <= levels; ++depth) {
    const size_t end = depth < levels ? depths_[depth + 1].code.size() : items_.size();
    depths_[depth].begin.push_back(uint32_t(end));
  }
}

std::span<const uint32_t> SidTrie::items(int depth, uint32_t node) const {
  size_t begin = node, end = size_t(node) + 1;
  for (auto level = size_t(depth); level < depths_.size(); ++level) {
    begin = depths_[level].begin[begin];
    end = depths_[level].begin[end];
  }
  return {items_.data() + begin, end - begin};
}

std::optional<uint32_t> SidTrie::find(std::span<const uint16_t> prefix) const {
  PODIUM_CHECK(prefix.size() <= size_t(levels()));
  uint32_t node = 0;
  for (size_t depth = 0; depth < prefix.size(); ++depth) {
    const auto codes = next_codes(int(depth), node);
    const auto at = std::lower_bound(codes.begin(), codes.end(), prefix[depth]);
    if (at == codes.end() || *at != prefix[depth]) return std::nullopt;
    node = first_child(int(depth), node) + uint32_t(at - codes.begin());
  }
  return node;
}

}  // namespace podium::sid
