#include "podium/runtime/prefix_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "podium/base/rng.h"

namespace podium::runtime {
namespace {

rerank::ModelSpec one_layer() {
  rerank::ModelSpec spec;
  spec.vocab = 10;
  spec.hidden = 8;
  spec.layers = 1;
  spec.heads = 1;
  spec.kv_heads = 1;
  spec.head_dim = 4;
  spec.ffn = 8;
  return spec;
}

class PrefixCacheTest : public testing::Test {
 protected:
  PrefixCacheTest() : pool_(one_layer()) {}

  // A sequence whose key of every token is the token before which it stands: what is found can be
  // told by what it holds.
  KvCache read(const std::vector<TokenId>& tokens) {
    KvCache cache(pool_);
    cache.reserve(tokens.size());
    for (size_t i = 0; i < tokens.size(); ++i) {
      const auto key = float(tokens[i]);
      const float keys[4] = {key, key, key, key};
      cache.store(0, 0, i, keys, keys);
    }
    cache.advance(tokens.size());
    return cache;
  }
  static std::vector<float> keys_of(const KvCache& cache) {
    std::vector<float> keys;
    for (size_t i = 0; i < cache.length(); ++i) {
      const auto* page = cache.pages()[i / kPageTokens].data() + cache.layout().keys(0, 0);
      keys.push_back(reinterpret_cast<const float*>(page)[i % kPageTokens]);
    }
    return keys;
  }

  PagePool pool_;
};

std::vector<TokenId> numbers(size_t n, TokenId first = 0) {
  std::vector<TokenId> tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(first + TokenId(i));
  return tokens;
}

TEST_F(PrefixCacheTest, FindsTheLongestBeginning) {
  PrefixCache cache(pool_, 1 << 20);
  EXPECT_EQ(cache.find(numbers(100)).length(), 0u);
  const auto tokens = numbers(100);
  cache.insert(tokens, read(tokens));
  for (const size_t n : {1, 31, 32, 33, 96, 99, 100}) {
    EXPECT_EQ(cache.find(numbers(n)).length(), n);
  }
  EXPECT_EQ(cache.find(numbers(140)).length(), 100u);
  auto other = numbers(100);
  other[70] = 7;
  EXPECT_EQ(cache.find(other).length(), 70u);
  other[3] = 7;
  EXPECT_EQ(cache.find(other).length(), 3u);
  EXPECT_EQ(cache.find(numbers(40, 5)).length(), 0u);
}

TEST_F(PrefixCacheTest, AnOutgrownTailIsReplaced) {
  PrefixCache cache(pool_, 1 << 20);
  for (size_t n = 33; n <= 64; ++n) {
    const auto tokens = numbers(n);
    cache.insert(tokens, read(tokens));
    EXPECT_EQ(cache.stats().bytes, 2 * pool_.page_bytes());
  }
}

TEST_F(PrefixCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  PrefixCache cache(pool_, 4 * pool_.page_bytes());
  const auto a = numbers(64), b = numbers(64, 1000), c = numbers(64, 2000);
  cache.insert(a, read(a));
  cache.insert(b, read(b));
  cache.find(a);
  cache.insert(c, read(c));
  EXPECT_EQ(cache.find(a).length(), 64u);
  EXPECT_EQ(cache.find(b).length(), 0u);
  EXPECT_EQ(cache.find(c).length(), 64u);
  EXPECT_LE(pool_.pages_in_use(), 4u);
  const auto d = numbers(400, 5000);  // larger than the cache: its beginning stays
  cache.insert(d, read(d));
  EXPECT_EQ(cache.find(d).length(), 128u);
}

TEST_F(PrefixCacheTest, NothingFitsIntoNothing) {
  PrefixCache cache(pool_, pool_.page_bytes() - 1);
  const auto tokens = numbers(40);
  cache.insert(tokens, read(tokens));
  EXPECT_EQ(cache.find(tokens).length(), 0u);
  EXPECT_EQ(pool_.pages_in_use(), 0u);
}

// Against a list of all that was inserted, with sequences that share beginnings of every length and
// go on writing after what was found.
TEST_F(PrefixCacheTest, HoldsWhatWasInserted) {
  PrefixCache cache(pool_, 1 << 24);
  Rng rng(1);
  std::vector<std::vector<TokenId>> known;
  for (int i = 0; i < 300; ++i) {
    std::vector<TokenId> tokens;
    if (!known.empty()) tokens = known[rng.below(known.size())];
    tokens.resize(rng.below(tokens.size() + 1));
    for (size_t more = rng.below(80) + 1; more > 0; --more) tokens.push_back(TokenId(rng.below(4)));
    size_t longest = 0;
    for (const auto& other : known) {
      const size_t most = std::min(other.size(), tokens.size());
      const auto end = std::mismatch(other.begin(), other.begin() + long(most), tokens.begin());
      longest = std::max(longest, size_t(end.first - other.begin()));
    }
    KvCache found = cache.find(tokens);
    ASSERT_EQ(found.length(), longest);
    const size_t rest = tokens.size() - found.length();
    found.reserve(rest);
    for (size_t at = found.length(); at < tokens.size(); ++at) {
      const auto key = float(tokens[at]);
      const float keys[4] = {key, key, key, key};
      found.store(0, 0, at, keys, keys);
    }
    found.advance(rest);
    ASSERT_EQ(keys_of(found), std::vector<float>(tokens.begin(), tokens.end()));
    cache.insert(tokens, found);
    known.push_back(tokens);
    const auto& old = known[rng.below(known.size())];
    ASSERT_EQ(keys_of(cache.find(old)), std::vector<float>(old.begin(), old.end()));
  }
  const CacheStats stats = cache.stats();
  EXPECT_GT(stats.hit_rate(), 0.3);
  EXPECT_LT(stats.hit_rate(), 1);
  EXPECT_EQ(stats.bytes, pool_.pages_in_use() * pool_.page_bytes());
}

TEST_F(PrefixCacheTest, ThreadsMayShareIt) {
  PrefixCache cache(pool_, 20 * pool_.page_bytes());
  const auto work = [&](uint64_t seed) {
    Rng rng(seed);
    for (int i = 0; i < 300; ++i) {
      const auto tokens = numbers(1 + rng.below(150), TokenId(rng.below(3)));
      KvCache found = cache.find(tokens);
      EXPECT_EQ(keys_of(found),
                std::vector<float>(tokens.begin(), tokens.begin() + long(found.length())));
      cache.insert(tokens, read(tokens));
    }
  };
  std::thread one(work, 1), two(work, 2);
  one.join();
  two.join();
  EXPECT_LE(pool_.pages_in_use(), 20u);
}

}  // namespace
}  // namespace podium::runtime
