#include "podium/runtime/beam.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "podium/base/error.h"
#include "podium/rerank/test_world.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {
namespace {

using rerank::ItemIndex;
using rerank::TestWorld;
using Items = std::vector<ItemIndex>;
using Lists = std::vector<std::vector<Retrieved>>;

class BeamTest : public testing::Test {
 protected:
  BeamTest()
      : spec_(tiny_spec(world_.tokenizer().vocab())),
        weights_(spec_, 1, 2.0),
        engine_(spec_, weights_.weights()),
        trie_(world_.sids()) {
    Rng rng(4);
    for (size_t length : {0, 1, 3, 7, 12, 5}) {
      Items history;
      for (size_t i = 0; i < length; ++i) history.push_back(ItemIndex(rng.below(world_.kItems)));
      histories_.push_back(history);
    }
  }

  Lists retrieve(const Engine& engine, std::span<const Items> histories,
                 const RetrieveOptions& options, int threads = 1) const {
    const std::vector<std::span<const ItemIndex>> spans(histories.begin(), histories.end());
    return engine.retrieve(world_.context(), trie_, spans, options, threads);
  }

  // The log-probabilities of the prefixes of every item outside the history, [levels] an item,
  // each scored by itself without a cache.
  std::map<ItemIndex, std::vector<double>> exhaustive(const Engine& engine, const Items& history,
                                                      size_t shown, bool over_trie = true) const {
    const auto context = world_.context();
    const sid::SidTable& sids = context.sids;
    std::map<ItemIndex, std::vector<double>> result;
    for (ItemIndex item = 0; item < sids.items(); ++item) {
      if (std::count(history.begin(), history.end(), item) > 0) continue;
      auto tokens =
          rerank::build_sequence(context, std::span(history).last(std::min(shown, history.size())));
      double logprob = 0;
      for (size_t level = 0; level < size_t(sids.levels); ++level) {
        const auto logits = engine.logits(tokens);
        const float* row = logits.data() + (tokens.size() - 1) * size_t(spec_.vocab);
        double sum = 0;
        const auto prefix = sids.of(item).first(level);
        const auto next = trie_.next_codes(int(level), trie_.find(prefix).value());
        for (int code = 0; code < sids.codes_per_level; ++code) {
          if (over_trie && std::count(next.begin(), next.end(), code) == 0) continue;
          sum += std::exp(double(row[context.vocabulary.code(int(level), uint16_t(code))]));
        }
        tokens.push_back(context.vocabulary.code(int(level), sids.of(item)[level]));
        logprob += double(row[tokens.back()]) - std::log(sum);
        result[item].push_back(logprob);
      }
    }
    return result;
  }

  void expect_near(const Lists& a, const Lists& b) const {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].size(), b[i].size());
      for (size_t r = 0; r < a[i].size(); ++r) {
        EXPECT_EQ(a[i][r].item, b[i][r].item);
        EXPECT_NEAR(a[i][r].logprob, b[i][r].logprob, 1e-5);
      }
    }
  }

  TestWorld world_;
  rerank::ModelSpec spec_;
  TestWeights weights_;
  Engine engine_;
  sid::SidTrie trie_;
  std::vector<Items> histories_;
};

TEST_F(BeamTest, AWideBeamEqualsScoringEveryItem) {
  for (const auto precision : {kernels::Precision::kFp32, kernels::Precision::kInt8}) {
    const Engine engine(spec_, weights_.weights(), {.precision = precision});
    for (const bool over_trie : {true, false}) {
      const auto lists =
          retrieve(engine, histories_, {.beam = 50, .max_history = 4, .over_trie = over_trie});
      for (size_t i = 0; i < histories_.size(); ++i) {
        const auto expected = exhaustive(engine, histories_[i], 4, over_trie);
        ASSERT_EQ(lists[i].size(), expected.size());  // fewer than the beam
        for (size_t r = 0; r < lists[i].size(); ++r) {
          const Retrieved& found = lists[i][r];
          EXPECT_NEAR(found.logprob, expected.at(found.item).back(), 2e-4);
          EXPECT_TRUE(r == 0 || found.logprob <= lists[i][r - 1].logprob);
        }
      }
    }
  }
}

// Level by level, keeping the best prefixes by the exhaustive scores.
TEST_F(BeamTest, ANarrowBeamKeepsTheLikeliestPrefixes) {
  const sid::SidTable& sids = world_.context().sids;
  const auto lists = retrieve(engine_, histories_, {.beam = 3});
  for (size_t i = 0; i < histories_.size(); ++i) {
    const auto scores = exhaustive(engine_, histories_[i], 19);
    std::set<std::vector<uint16_t>> kept = {{}};
    for (ptrdiff_t level = 1; level <= sids.levels; ++level) {
      std::set<std::pair<double, std::vector<uint16_t>>> order;
      for (const auto& [item, logprobs] : scores) {
        const auto sid = sids.of(item);
        if (!kept.contains({sid.begin(), sid.begin() + level - 1})) continue;
        order.insert({-logprobs[size_t(level) - 1], {sid.begin(), sid.begin() + level}});
      }
      kept.clear();
      for (const auto& [minus, prefix] : order) {
        if (kept.size() < 3) kept.insert(prefix);
      }
    }
    ASSERT_EQ(lists[i].size(), kept.size());
    for (const Retrieved& found : lists[i]) {
      const auto sid = sids.of(found.item);
      EXPECT_TRUE(kept.contains({sid.begin(), sid.end()}));
    }
  }
}

TEST_F(BeamTest, NeitherBatchNorThreadsNorRememberedPrefixesMatter) {
  const RetrieveOptions options{.beam = 8};
  const Engine cached(spec_, weights_.weights(), {.prefix_bytes = 64 << 20});
  const auto together = retrieve(engine_, histories_, options);
  for (size_t i = 0; i < histories_.size(); ++i) {
    expect_near(retrieve(engine_, std::span(histories_).subspan(i, 1), options), {together[i]});
  }
  expect_near(retrieve(cached, histories_, options, 2), together);
  expect_near(retrieve(cached, histories_, options, 2), together);
  EXPECT_GE(cached.prefix_stats().hit_rate(), 0.5);
  const auto threads = retrieve(engine_, histories_, options, 2);
  for (size_t i = 0; i < together.size(); ++i) {
    for (size_t r = 0; r < together[i].size(); ++r) {
      EXPECT_EQ(threads[i][r].logprob, together[i][r].logprob);  // to the bit
    }
  }
}

// Items 0 and 1 share a SID: both are found, or the one that was not seen.
TEST_F(BeamTest, EqualSidsAreToldApartByTheHistoryAlone) {
  auto& codes = world_.sids().codes;
  std::copy_n(codes.begin(), world_.kLevels, codes.begin() + world_.kLevels);
  trie_ = sid::SidTrie(world_.sids());
  histories_ = {{5, 6}, {5, 1}, {0, 1}};
  const auto lists = retrieve(engine_, histories_, {.beam = 50});
  const std::vector<Items> twins = {{0, 1}, {0}, {}};
  for (size_t i = 0; i < 3; ++i) {
    Items found;
    std::set<float> logprobs;
    for (const Retrieved& retrieved : lists[i]) {
      if (retrieved.item > 1) continue;
      found.push_back(retrieved.item);
      logprobs.insert(retrieved.logprob);
    }
    EXPECT_EQ(found, twins[i]);
    EXPECT_LE(logprobs.size(), 1u);
  }
}

TEST_F(BeamTest, NothingLeftToFind) {
  Items all(world_.kItems);
  for (ItemIndex i = 0; i < all.size(); ++i) all[i] = i;
  EXPECT_TRUE(retrieve(engine_, std::vector<Items>{all}, {})[0].empty());
  all.pop_back();
  const auto last = retrieve(engine_, std::vector<Items>{all, histories_[0]}, {});
  ASSERT_EQ(last[0].size(), 1u);
  EXPECT_EQ(last[0][0].item, ItemIndex(world_.kItems - 1));
  EXPECT_EQ(last[1].size(), size_t(world_.kItems));
}

TEST_F(BeamTest, WhatCannotBeRankedIsRefused) {
  EXPECT_THROW(retrieve(engine_, std::vector<Items>{{1, TestWorld::kItems}}, {}), Error);
  std::ranges::fill(weights_.data["model.norm.weight"], std::numeric_limits<float>::max());
  const Engine engine(spec_, weights_.weights());
  EXPECT_THROW(retrieve(engine, histories_, {}), Error);
}

TEST_F(BeamTest, TooLongAHistoryIsRefused) {
  auto short_spec = spec_;
  short_spec.max_positions = 30;
  const Engine engine(short_spec, weights_.weights());
  EXPECT_THROW(retrieve(engine, std::vector<Items>{{1, 2, 3, 4, 5, 6, 7, 8}}, {}), Error);
  EXPECT_FALSE(retrieve(engine, std::vector<Items>{{1, 2, 3}}, {})[0].empty());
}

}  // namespace
}  // namespace podium::runtime
