#include "podium/sid/trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "podium/base/rng.h"

namespace podium::sid {
namespace {

using Prefix = std::vector<uint16_t>;

TEST(SidTrie, PrefixesAndNextCodes) {
  const SidTrie trie({3, 16, {1, 2, 3, 1, 2, 5, 1, 4, 0, 2, 0, 0, 1, 2, 3}});
  const uint32_t one = trie.find(Prefix{1}).value(), one_two = trie.find(Prefix{1, 2}).value();
  EXPECT_EQ(trie.nodes(3), 4u);  // items 0 and 4 share a SID
  EXPECT_EQ(trie.items(1, one).size(), 4u);
  EXPECT_FALSE(trie.find(Prefix{9}).has_value());
  const auto codes = trie.next_codes(2, one_two);
  EXPECT_EQ(Prefix(codes.begin(), codes.end()), (Prefix{3, 5}));
  const auto twins = trie.items(3, trie.first_child(2, one_two));
  EXPECT_EQ(std::vector<uint32_t>(twins.begin(), twins.end()), (std::vector<uint32_t>{0, 4}));
}

TEST(SidTrie, OfNothing) {
  const SidTrie trie({2, 16, {}});
  EXPECT_TRUE(trie.next_codes(0, 0).empty());
  EXPECT_TRUE(trie.items(0, 0).empty());
  EXPECT_FALSE(trie.find(Prefix{1}).has_value());
}

// Every prefix with its items, found by looking at every item.
TEST(SidTrie, EqualsSearchingTheTable) {
  SidTable table{4, 5, {}};
  Rng rng(3);
  for (int i = 0; i < 4 * 500; ++i) table.codes.push_back(uint16_t(rng.below(5)));
  const SidTrie trie(table);
  for (int depth = 0; depth <= table.levels; ++depth) {
    std::map<Prefix, std::vector<Prefix>> below;  // the rest of the SIDs, sorted
    for (uint32_t item = 0; item < table.items(); ++item) {
      const auto sid = table.of(item);
      below[{sid.begin(), sid.begin() + depth}].emplace_back(sid.begin() + depth, sid.end());
    }
    ASSERT_EQ(trie.nodes(depth), below.size());
    uint32_t node = 0;
    for (auto& [prefix, rests] : below) {
      ASSERT_EQ(trie.find(prefix), node);
      std::sort(rests.begin(), rests.end());
      std::vector<Prefix> found;
      for (const uint32_t item : trie.items(depth, node)) {
        const auto sid = table.of(item);
        EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), sid.begin()));
        found.emplace_back(sid.begin() + depth, sid.end());
      }
      EXPECT_EQ(found, rests);
      if (depth < table.levels) {
        Prefix firsts;
        for (const Prefix& rest : rests) firsts.push_back(rest[0]);
        firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
        const auto codes = trie.next_codes(depth, node);
        EXPECT_EQ(Prefix(codes.begin(), codes.end()), firsts);
        EXPECT_EQ(trie.find(Prefix(prefix)).value(), node);
      }
      ++node;
    }
  }
}

}  // namespace
}  // namespace podium::sid
