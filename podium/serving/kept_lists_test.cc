#include "podium/serving/kept_lists.h"

#include <gtest/gtest.h>

#include "podium/serving/recommender_fixture.h"

namespace podium::serving {
namespace {

class KeptListsTest : public RecommenderTest {
 protected:
  KeptLists::Lists lists() const {
    return std::make_shared<const funnel::SourceLists>(bundle_->upstream().lists({}));
  }
  const AddedItems::Shared none_ = std::make_shared<const AddedItems>(*bundle_);
};

TEST_F(KeptListsTest, WhatWasAskedForLongestAgoGivesWay) {
  const auto list = lists();
  KeptLists measured(1 << 20);
  measured.begin(none_);
  measured.keep(none_, {1}, list);
  KeptLists kept(3 * measured.bytes());
  kept.begin(none_);
  for (data::ItemIndex item = 1; item <= 3; ++item) kept.keep(none_, {item}, list);
  EXPECT_EQ(kept.find(none_, {1}), list);
  EXPECT_EQ(kept.find(none_, {1, 2}), nullptr);
  kept.keep(none_, {4}, list);
  EXPECT_EQ(kept.find(none_, {2}), nullptr) << "the oldest but for 1, which was asked for";
  EXPECT_EQ(kept.find(none_, {1}), list);
  EXPECT_EQ(kept.find(none_, {3}), list);
  EXPECT_EQ(kept.find(none_, {4}), list);
  kept.keep(none_, {4}, lists());
  EXPECT_NE(kept.find(none_, {4}), list) << "the last counts";
  EXPECT_LE(kept.bytes(), 3 * measured.bytes());
}

TEST_F(KeptListsTest, OtherAddedItemsForgetThem) {
  KeptLists kept(1 << 20);
  kept.begin(none_);
  kept.keep(none_, {1}, lists());
  const std::vector<LiveItem> items = {{.id = "new", .title = "Thing of kind 1"}};
  const auto more = none_->put(items);
  EXPECT_EQ(kept.find(more, {1}), nullptr);
  kept.begin(more);
  EXPECT_EQ(kept.find(more, {1}), nullptr);
  EXPECT_EQ(kept.bytes(), 0u);
  kept.keep(none_, {1}, lists());  // of a request that began before
  EXPECT_EQ(kept.find(none_, {1}), nullptr);
  EXPECT_EQ(kept.find(more, {1}), nullptr);
}

TEST_F(KeptListsTest, ANoughtKeepsNothing) {
  KeptLists kept(0);
  kept.begin(none_);
  kept.keep(none_, {1}, lists());
  EXPECT_EQ(kept.find(none_, {1}), nullptr);
}

}  // namespace
}  // namespace podium::serving
