#include "podium/runtime/item_cache.h"

#include <gtest/gtest.h>

#include <bit>
#include <thread>

#include "podium/base/rng.h"
#include "podium/runtime/forward.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {
namespace {

constexpr int kVocab = 50;

std::vector<TokenId> block_of(uint64_t item, size_t tokens = 4) {
  Rng rng(item);
  std::vector<TokenId> block;
  for (size_t i = 0; i < tokens; ++i) block.push_back(TokenId(rng.below(kVocab)));
  return block;
}

class ItemCacheTest : public testing::Test {
 protected:
  ItemCacheTest()
      : weights_(tiny_spec(kVocab), 1),
        model_(tiny_spec(kVocab), weights_.weights(), kernels::Precision::kFp32) {}

  KvCache read(std::span<const TokenId> tokens, PagePool& pool, int position = 0) {
    KvCache cache(pool);
    Workspace work;
    Branches branches;
    for (size_t t = 0; t < tokens.size(); ++t) {
      branches.position.push_back(position + int(t));
      branches.trunk.push_back(uint32_t(t));
    }
    Chunk chunk{tokens, &cache, &branches};
    forward(model_, {&chunk, 1}, Rows::kLast, work);
    return cache;
  }

  std::shared_ptr<const ItemBlock> block(uint64_t item) {
    return std::make_shared<const ItemBlock>(read(block_of(item), pool_));
  }

  TestWeights weights_;
  Model model_;
  PagePool pool_{tiny_spec(kVocab)};
};

// What was read at positions from 0 on and appended at others equals what is read there, across a
// page's end too.
TEST_F(ItemCacheTest, AppendedBlocksAreAsIfReadThere) {
  for (const bool bf16 : {false, true}) {
    PagePool pool(tiny_spec(kVocab), bf16);
    for (const size_t before : {0, 3, 14, 16}) {
      for (const int position : {0, 5, 300}) {
        const auto tokens = block_of(7);
        KvCache there(pool), joined(pool);
        if (before > 0) joined = read(block_of(1, before), pool);
        append(model_, ItemBlock(read(tokens, pool)), position, joined);
        ASSERT_EQ(joined.length(), before + tokens.size());
        there = read(tokens, pool, position);
        const size_t bytes = tokens.size() * pool.layout.token_bytes();
        std::vector<std::byte> a(bytes), b(bytes);
        joined.read(before, tokens.size(), a.data());
        there.read(0, tokens.size(), b.data());
        for (size_t i = 0; i < bytes / pool.layout.element; ++i) {
          const auto number = [&](const std::vector<std::byte>& data) {
            if (!bf16) return reinterpret_cast<const float*>(data.data())[i];
            const uint32_t half = reinterpret_cast<const uint16_t*>(data.data())[i];
            return std::bit_cast<float>(half << 16);
          };
          ASSERT_NEAR(number(a), number(b), bf16 ? 0.04 : 2e-5) << "position " << position;
        }
      }
    }
  }
}

TEST_F(ItemCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  const size_t bytes = block(0)->data.size();
  ItemCache cache(3 * bytes);
  for (const uint64_t item : {1, 2, 3}) cache.insert(block_of(item), block(item));
  EXPECT_NE(cache.find(block_of(1)), nullptr);
  cache.insert(block_of(4), block(4));
  EXPECT_EQ(cache.find(block_of(2)), nullptr);
  for (const uint64_t item : {1, 3, 4}) EXPECT_NE(cache.find(block_of(item)), nullptr);
  cache.insert(block_of(4), block(4));  // known already
  const CacheStats stats = cache.stats();
  EXPECT_EQ(stats.bytes, 3 * bytes);
  EXPECT_EQ(stats.asked, 5 * 4u);
  EXPECT_EQ(stats.found, 4 * 4u);
}

TEST_F(ItemCacheTest, NothingFitsIntoLittle) {
  ItemCache cache(10);
  cache.insert(block_of(1), block(1));
  EXPECT_EQ(cache.find(block_of(1)), nullptr);
  EXPECT_EQ(cache.stats().bytes, 0u);
}

TEST_F(ItemCacheTest, ThreadsMayShareIt) {
  std::vector<std::shared_ptr<const ItemBlock>> blocks;
  for (uint64_t item = 0; item < 20; ++item) blocks.push_back(block(item));
  ItemCache cache(10 * blocks[0]->data.size());
  const auto work = [&](uint64_t seed) {
    Rng rng(seed);
    for (int i = 0; i < 500; ++i) {
      const auto item = rng.below(20);
      if (const auto found = cache.find(block_of(item))) {
        EXPECT_EQ(found->data, blocks[item]->data);
      } else {
        cache.insert(block_of(item), blocks[item]);
      }
    }
  };
  std::thread one(work, 1), two(work, 2);
  one.join();
  two.join();
  EXPECT_LE(cache.stats().bytes, 10 * blocks[0]->data.size());
}

}  // namespace
}  // namespace podium::runtime
