#include "podium/retrieval/new_items.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"

namespace podium::retrieval {
namespace {

// Users 0 to 4 have taken a and b, all but the last d, and nobody e.
class NewItemsTest : public testing::Test {
 protected:
  static data::Dataset dataset() {
    data::DatasetBuilder builder;
    for (const char* id : {"a", "b", "d", "e"}) builder.add_item({id, id, "", "", {}, NAN});
    for (int user = 0; user < 5; ++user) {
      for (const char* id : {"a", "b", "d"}) {
        if (user < 4 || *id != 'd') builder.add_event({std::to_string(user), id, *id, 1});
      }
    }
    const fs::path dir = scratch("new_items");
    builder.write(dir, "shop", 0, {});
    return data::Dataset::open(dir);
  }
  ItemIndex item(const char* id) const { return dataset_.find_item(id).value(); }
  void set(const char* id, float x, float y) {
    vectors_[2 * item(id)] = x;
    vectors_[2 * item(id) + 1] = y;
  }

  const data::Dataset dataset_ = dataset();
  const std::unique_ptr<Popularity> popularity_ = Popularity::fit({&dataset_, {3, 3, 3, 3, 2}}, 0);
  std::vector<float> vectors_ = std::vector<float>(4 * 2);
};

TEST_F(NewItemsTest, AreLikeOneOfTheNewest) {
  set("a", 1, 0), set("b", 0, 1), set("d", 0.6F, 0.8F), set("e", 0.96F, -0.28F);
  const Content content(vectors_, 2);
  const NewItems source(content, *popularity_);
  const std::vector<ItemIndex> history = {item("a"), item("b")};
  Query query{history, {}, 0};
  auto found = source.retrieve(query, 10);
  ASSERT_EQ(found.size(), 2u) << "a and b have five events";
  EXPECT_EQ(found[0].item, item("e")) << "though d is nearer to the mean of a and b";
  EXPECT_FLOAT_EQ(found[0].score, 0.96F);
  EXPECT_EQ(found[1].item, item("d"));
  EXPECT_FLOAT_EQ(found[1].score, 0.8F);
  AddedItem after;
  after.vector = {0.28F, 0.96F};
  const std::vector<const AddedItem*> added = {&after};
  query.added = added;
  found = source.retrieve(query, 3);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].item, 4u) << "nobody can have had it";
  EXPECT_FLOAT_EQ(found[1].score, 0.96F);
  EXPECT_TRUE(source.retrieve({}, 10).empty());
}

TEST_F(NewItemsTest, LeaveOutWhatIsSeenAndWhatIsNotAlike) {
  set("a", 1, 0), set("b", 1, 0), set("d", 1, 0), set("e", -1, 0);
  const Content content(vectors_, 2);
  const NewItems source(content, *popularity_);
  const std::vector<ItemIndex> history = {item("d"), item("a")};
  EXPECT_TRUE(source.retrieve({history, {}, 0}, 10).empty());
  EXPECT_EQ(source.retrieve({history, {}, 0, SeenRule::kAllow}, 10),
            (std::vector<Scored>{{item("d"), 1.0F}}));
}

}  // namespace
}  // namespace podium::retrieval
