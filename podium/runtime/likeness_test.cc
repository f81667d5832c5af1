#include "podium/runtime/likeness.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/rerank/test_world.h"

namespace podium::runtime {
namespace {

using rerank::ItemIndex;
using rerank::kLikeness;
using rerank::PromptContext;
using rerank::Slate;
using rerank::TestWorld;

class LikenessTest : public testing::Test {
 protected:
  // Items of these numbers; item n is of category n % 4, and all are of "Beauty".
  Slate slate_of(const std::vector<int>& numbers) const {
    Slate slate;
    for (const int number : numbers) slate.candidates.push_back({.item = world_.item(number)});
    return slate;
  }
  float cosine(int a, int b) const {
    const PromptContext context = world_.context_with_text();
    double ab = 0, aa = 0, bb = 0;
    const auto x = rerank::text_of(context, {}, world_.item(a)),
               y = rerank::text_of(context, {}, world_.item(b));
    for (size_t i = 0; i < x.size(); ++i) {
      ab += double(x[i]) * double(y[i]);
      aa += double(x[i]) * double(x[i]);
      bb += double(y[i]) * double(y[i]);
    }
    return float(std::max(0.0, ab / std::sqrt(aa * bb)));
  }

  TestWorld world_;
};

TEST_F(LikenessTest, IsToAllThatStands) {
  const Slate slate = slate_of({0, 1, 4, 8});
  const Alike alike(world_.context_with_text(), slate);
  Likeness likeness(alike);
  EXPECT_EQ(likeness.of(1), (std::array<float, kLikeness>{})) << "nothing stands";
  likeness.follow(std::vector{0});
  likeness.follow(std::vector{0, 2});  // both of item 8's category

  const auto other = likeness.of(3);
  EXPECT_NEAR(other[0], std::max(cosine(0, 8), cosine(4, 8)), 1e-5);
  EXPECT_NEAR(other[1], (cosine(0, 8) + cosine(4, 8)) / 2, 1e-5);
  EXPECT_EQ(other[2], 1) << "both of its categories stand";
  EXPECT_EQ(other[3], 2) << "its special one twice";
  EXPECT_EQ(likeness.of(1)[2], 0.5F) << "only the general one stands";
  EXPECT_EQ(likeness.of(1)[3], 0);
}

TEST_F(LikenessTest, WhatIsNotKnownIsLikeNothing) {
  Slate slate = slate_of({0, 4, 5});
  PromptContext context = world_.context();  // no text
  context.dataset = nullptr;
  const Alike without(context, slate);
  Likeness nothing(without);
  nothing.follow(std::vector{0, 1});
  EXPECT_EQ(nothing.of(2), (std::array<float, kLikeness>{}));

  // An item that came after training has text and no category.
  slate.candidates[0].item = ItemIndex(TestWorld::kItems);
  slate.added.push_back({.item = ItemIndex(TestWorld::kItems),
                         .codes = std::vector<uint16_t>(TestWorld::kLevels),
                         .text = std::vector<float>(TestWorld::kTextWidth, 1.0F),
                         .title = "new"});
  const Alike alike(world_.context_with_text(), slate);
  Likeness likeness(alike);
  likeness.follow(std::vector{1});
  EXPECT_EQ(likeness.of(0)[2], 0);
  EXPECT_EQ(likeness.of(0)[3], 0);
  EXPECT_EQ(likeness.of(0)[0], alike.cosine[0 * 3 + 1]);
}

}  // namespace
}  // namespace podium::runtime
