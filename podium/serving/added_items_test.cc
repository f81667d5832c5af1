#include "podium/serving/added_items.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "podium/base/rng.h"
#include "podium/serving/recommender_fixture.h"

namespace podium::serving {
namespace {

class AddedItemsTest : public RecommenderTest {
 protected:
  static LiveItem item(int id, int kind, float price = 1) {
    return {.id = fmt::format("new{}", id),
            .title = fmt::format("Thing of kind {}", kind),
            .categories = {fmt::format("Kind {}", kind % 3)},
            .price = price};
  }

  // That `added` holds these and nothing else, in order, each found, with SIDs of their own.
  void expect(const AddedItems& added, const std::map<std::string, LiveItem>& wanted) {
    ASSERT_EQ(added.size(), wanted.size());
    ASSERT_EQ(added.features().size(), wanted.size());
    size_t number = 0;
    for (const auto& [id, facts] : wanted) {
      const auto index = data::ItemIndex(bundle_->dataset().items() + number);
      ASSERT_EQ(added.find(id), index) << id;
      EXPECT_EQ(added.facts(index), facts);
      EXPECT_EQ(added.features()[number]->price, facts.price);
      EXPECT_EQ(added.features()[number]->vector, bundle_->embed(facts.text()));
      EXPECT_EQ(added.after(id), ++number);
    }
  }
};

TEST_F(AddedItemsTest, ChangesInAnyOrderLeaveWhatWasPutLast) {
  Rng rng(5);
  std::map<std::string, LiveItem> wanted;
  auto added = std::make_shared<const AddedItems>(*bundle_);
  for (int round = 0; round < 40; ++round) {
    if (round % 4 == 3) {
      const std::string id = fmt::format("new{}", rng.below(900));
      wanted.erase(id);
      added = added->without(id);
      continue;
    }
    std::vector<LiveItem> items;
    for (int i = 0; i < 60; ++i) {
      items.push_back(item(int(rng.below(900)), int(rng.below(5)), float(round)));
      wanted[items.back().id] = items.back();
    }
    items.push_back({.id = "i3", .title = "the bundle knows it itself"});
    added = added->put(items);
  }
  EXPECT_GT(wanted.size(), 600u) << "more than a block";
  expect(*added, wanted);
  EXPECT_FALSE(added->find("i3") || added->find("new9999") || added->find(""));
  EXPECT_EQ(added->after("zzz"), added->size());

  std::vector<LiveItem> kept;
  for (const auto& [id, facts] : wanted) kept.push_back(facts);
  EXPECT_TRUE(added->put(kept)->same_as(*added));
  EXPECT_TRUE(added->all_of(kept)->same_as(*added));
  EXPECT_FALSE(added->without(kept[0].id)->same_as(*added));
  const std::vector<LiveItem> dearer = {{.id = kept[0].id, .title = kept[0].title, .price = 99}};
  EXPECT_FALSE(added->put(dearer)->same_as(*added));
  kept.resize(kept.size() / 2);
  kept.push_back(item(9999, 1));
  const auto fewer = added->all_of(kept);
  expect(*added, wanted);  // what was stays as it was
  wanted.clear();
  for (const LiveItem& facts : kept) wanted[facts.id] = facts;
  expect(*fewer, wanted);
}

TEST_F(AddedItemsTest, ASemanticIdIsKeptWithTheTextAndFreeWithoutTheItem) {
  const auto codes = [&](const AddedItems::Shared& added, const std::string& id) {
    return std::vector<uint16_t>(added->name(*added->find(id)).codes);
  };
  const std::vector<LiveItem> items = {item(0, 1), item(1, 1), item(2, 1)};
  const auto first = AddedItems(*bundle_).put(items);
  std::set<std::vector<uint16_t>> distinct;
  for (const LiveItem& one : items) distinct.insert(codes(first, one.id));
  ASSERT_EQ(distinct.size(), 3u);
  const std::vector<LiveItem> dearer = {item(1, 1, 99)};
  EXPECT_EQ(codes(first->put(dearer), "new1"), codes(first, "new1"));
  const auto gone = first->without("new0");
  const std::vector<LiveItem> next = {item(7, 1), item(8, 1)};
  const auto last = gone->put(next);
  EXPECT_EQ(codes(last, "new7"), codes(first, "new0"));
  EXPECT_FALSE(distinct.contains(codes(last, "new8")));
}

TEST_F(AddedItemsTest, WhatARequestDescribesIsForgotten) {
  const std::vector<LiveItem> kept = {item(0, 1)};
  const auto added = AddedItems(*bundle_).put(kept);
  const std::vector<LiveItem> told = {
      item(0, 2), item(1, 1), item(1, 3), {.id = "i3", .title = "known"}};
  const auto first = added->with(told);
  expect(*first, {{"new0", kept[0]}, {"new1", told[1]}});
  const auto again = added->with(told);
  const auto code = [](const auto& all) { return all->name(*all->find("new1")).codes; };
  EXPECT_TRUE(std::ranges::equal(code(first), code(again))) << "its semantic ID is free again";
  expect(*added, {{"new0", kept[0]}});
}

}  // namespace
}  // namespace podium::serving
