// What the builder makes of rows that repeat, contradict or say nothing.
#include "podium/data/dataset_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"
#include "podium/data/impressions.h"

namespace podium::data {
namespace {

double cpu_seconds_since(std::clock_t start) {
  return double(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(DatasetBuilder, CatalogueRowsMergeFieldByField) {
  DatasetBuilder builder;
  builder.add_item({.id = "lamp", .title = "Oak Lamp", .brand = "Norr"});
  builder.add_item({.id = "bed", .title = "Pine Bed", .brand = "Vik"});
  builder.add_item({.id = "lamp", .price = 5});  // a table of prices
  builder.add_item({.id = "lamp"});              // a row that says nothing
  builder.add_item({.id = "bed", .title = "Pine Bed, wide", .categories = {"Beds"}});
  builder.add_event({"u", "lamp", 1, 1});
  const fs::path dir = scratch("merge");
  const Json content = builder.write(dir, "merge", 0, {});
  const Dataset d = Dataset::open(dir);
  const ItemIndex lamp = d.find_item("lamp").value(), bed = d.find_item("bed").value();
  EXPECT_EQ(d.title(lamp), "Oak Lamp");
  EXPECT_EQ(d.brand(lamp), "Norr");
  EXPECT_EQ(d.price(lamp), 5);
  EXPECT_EQ(d.title(bed), "Pine Bed, wide");  // the later value
  EXPECT_EQ(d.brand(bed), "Vik");
  EXPECT_EQ(d.categories(bed).size(), 1u);
  EXPECT_TRUE(std::isnan(d.price(bed)));
  EXPECT_EQ(content.at("catalogue_rows"), 5);
  EXPECT_EQ(content.at("catalogue_items"), 2);
  EXPECT_EQ(content.at("catalogue_merged"), 3);
  EXPECT_EQ(content.at("catalogue_conflicts"), 1);
}

TEST(DatasetBuilder, CountsWhatCatalogueAndEventsShare) {
  DatasetBuilder builder;
  builder.add_item({.id = "a", .title = "A"});
  builder.add_item({.id = "b", .title = "B"});
  for (const char* item : {"a", "x", "y"}) builder.add_event({"u", item, 1, 1});
  const Json content = builder.write(scratch("shared"), "shared", 0, {});
  EXPECT_EQ(content.at("items"), 4);
  EXPECT_EQ(content.at("catalogue_items_bought"), 1);
  EXPECT_EQ(content.at("items_bought"), 3);
  EXPECT_EQ(content.at("items_bought_with_text"), 1);
}

TEST(DatasetBuilder, DuplicatesFallAndRepeatsStay) {
  DatasetBuilder builder;
  builder.add_event({"u", "a", 10, 1});
  builder.add_event({"u", "b", 10, 1});
  builder.add_event({"u", "a", 10, 5});  // the same moment: a duplicate
  builder.add_event({"u", "a", 20, 1});  // a repeat
  builder.add_event({"v", "a", 10, 1});  // somebody else
  const fs::path dir = scratch("repeats");
  const Json content = builder.write(dir, "repeats", 0, {});
  EXPECT_EQ(content.at("events"), 4);
  EXPECT_EQ(content.at("duplicates_dropped"), 1);
  EXPECT_EQ(content.at("repeated_events"), 1);
  const Dataset d = Dataset::open(dir);
  EXPECT_EQ(d.ratings_of(d.find_user("u").value())[0], 1);  // the first of two
}

TEST(DatasetBuilder, FractionsOfASecondOrderItsEvents) {
  DatasetBuilder builder;
  builder.add_event({"u", "later", 10, 1, 900});
  builder.add_event({"u", "sooner", 10, 1, 100});
  builder.add_event({"u", "sooner", 10, 1, 100});
  const fs::path dir = scratch("nanos");
  EXPECT_EQ(builder.write(dir, "nanos", 0, {}).at("duplicates_dropped"), 1);
  const Dataset d = Dataset::open(dir);
  EXPECT_EQ(d.item_id(d.items_of(0)[0]), "sooner");
}

// Many events of one moment: one shared account, times by the day.
TEST(DatasetBuilder, OneMomentIsLinear) {
  DatasetBuilder builder;
  for (int i = 0; i < 200000; ++i) builder.add_event({"guest", std::to_string(i), 0, 1});
  const std::clock_t start = std::clock();
  EXPECT_EQ(builder.write(scratch("moment"), "moment", 0, {}).at("events"), 200000);
  EXPECT_LT(cpu_seconds_since(start), 2);
}

// A chain in which every fall causes the next: round after round would be quadratic.
TEST(DatasetBuilder, CoreOfAChainIsLinear) {
  DatasetBuilder builder;
  constexpr int kLinks = 100000;
  for (int i = 0; i < kLinks; ++i) {
    const std::string user = "u" + std::to_string(i);
    builder.add_event({user, std::to_string(i), 1, 1});
    builder.add_event({user, std::to_string(i + 1), 2, 1});
  }
  for (const char* user : {"x", "y"}) {
    for (const char* item : {"p", "q"}) builder.add_event({user, item, 1, 1});
  }
  const std::clock_t start = std::clock();
  const Json content = builder.write(scratch("chain"), "chain", 2, {});
  EXPECT_LT(cpu_seconds_since(start), 5);
  EXPECT_EQ(content.at("users"), 2);
  EXPECT_EQ(content.at("items"), 2);
  EXPECT_EQ(content.at("events"), 4);
}

TEST(DatasetBuilder, NothingLeftNamesTheCause) {
  DatasetBuilder builder;
  builder.add_event({"u", "a", 1, 1});
  try {
    builder.write(scratch("core"), "core", 5, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "--k-core 5 drops every one of 1 events");
  }
  EXPECT_THROW(DatasetBuilder().write(scratch("none"), "none", 0, {}), Error);
}

TEST(DatasetBuilder, ShownSlatesAreKeptByUserAndTime) {
  DatasetBuilder builder;
  const std::vector<std::string_view> late = {"a", "b"}, early = {"c", "a", "b"};
  const std::vector<uint8_t> one = {0, 1}, two = {1, 0, 1};
  builder.add_shown({"u", 200, late, one});
  builder.add_shown({"u", 100, early, two});
  builder.add_shown({"gone", 100, late, one});  // no event: no user of the dataset
  builder.add_event({"u", "b", 200, 1});
  const fs::path dir = scratch("shown");
  const Json content = builder.write(dir, "shown", 0, {});
  EXPECT_EQ(content.at("slates"), 2);
  EXPECT_EQ(content.at("impressions"), 5);
  EXPECT_EQ(content.at("clicks"), 3);
  const Dataset d = Dataset::open(dir);
  const Impressions shown(dir / "impressions", d.users(), d.items());
  ASSERT_EQ(shown.slates(), 2u);
  EXPECT_EQ(shown.slate(0).time, 100);
  EXPECT_EQ(d.item_id(shown.slate(0).items[0]), "c");
  EXPECT_EQ(shown.slate(0).clicked[2], 1);
  EXPECT_EQ(shown.slate(1).time, 200);
}

}  // namespace
}  // namespace podium::data
