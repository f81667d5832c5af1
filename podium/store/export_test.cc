#include "podium/store/export.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/impressions.h"
#include "podium/serving/test_bundle.h"
#include "podium/store/store.h"

namespace podium::store {
namespace {

class ExportTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("export");
    bundle_ = serving::Bundle::open(serving::write_test_bundle(root_));
  }
  static void TearDownTestSuite() {
    bundle_.reset();
    fs::remove_all(root_);
  }
  data::Dataset exported() {
    content_ = write_dataset(state_, *bundle_, out_);
    return data::Dataset::open(out_);
  }
  static std::vector<std::string> items_of(const data::Dataset& dataset, std::string_view user) {
    std::vector<std::string> ids;
    const auto index = dataset.find_user(user);
    if (!index) return ids;
    for (const auto item : dataset.items_of(*index)) ids.emplace_back(dataset.item_id(item));
    return ids;
  }

  static inline fs::path root_;
  static inline std::shared_ptr<const serving::Bundle> bundle_;
  const fs::path state_ = scratch_dir("export_state"), out_ = scratch("export_out");
  Json content_;
};

TEST_F(ExportTest, HoldsWhatWasTrainedOnAndWhatCameSince) {
  Store store(state_);  // open, as in a server
  store.append({PutItem{{.id = "new", .title = "A new thing", .categories = {"Shop"}, .price = 7}},
                Event{"u1", {"new", 9000000}}, Event{"visitor", {"i1", 9000001}},
                Event{"u2", {"i2", 9000002, "click"}}, Event{"u2", {"i3", 9000003, "click"}},
                RemoveEvents{"u2", "i2", "click"},
                PutItem{{.id = "i5", .title = "Thing, renamed"}}});
  const data::Dataset dataset = exported();
  EXPECT_EQ(dataset.name(), bundle_->dataset().name());
  EXPECT_EQ(dataset.users(), bundle_->dataset().users() + 1);
  EXPECT_EQ(dataset.items(), bundle_->dataset().items() + 1);
  EXPECT_EQ(dataset.events(), bundle_->dataset().events() + 3);
  EXPECT_EQ(content_["live_events"], 3);
  const auto before = items_of(bundle_->dataset(), "u1"), after = items_of(dataset, "u1");
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
  EXPECT_EQ(after.back(), "new");
  EXPECT_EQ(items_of(dataset, "visitor"), (std::vector<std::string>{"i1"}));
  EXPECT_EQ(items_of(dataset, "u2").back(), "i3");
  EXPECT_EQ(dataset.title(*dataset.find_item("new")), "A new thing");
  EXPECT_EQ(dataset.price(*dataset.find_item("new")), 7);
  EXPECT_EQ(dataset.title(*dataset.find_item("i5")), "Thing, renamed");
  EXPECT_EQ(dataset.brand(*dataset.find_item("i5")), "brand2") << "what was not told anew stays";
}

TEST_F(ExportTest, WhoWasErasedIsNotInIt) {
  {
    Store store(state_);
    store.add_event("u1", {"i1", 9000000});
    store.add_event("visitor", {"i1", 9000000});
    store.erase_user("u1");
    store.erase_user("visitor");
    store.erase_user("u2");
    store.add_event("u2", {"i7", 9000009});
  }
  const data::Dataset dataset = exported();
  EXPECT_FALSE(dataset.find_user("u1"));
  EXPECT_FALSE(dataset.find_user("visitor"));
  EXPECT_EQ(items_of(dataset, "u2"), (std::vector<std::string>{"i7"}))
      << "what she did later counts";
}

TEST_F(ExportTest, TheNewestEventsCanBeHeldOut) {
  {
    Store store(state_);
    std::vector<Change> changes;
    for (int i = 0; i < 50; ++i) {  // not in the order of their times
      changes.emplace_back(Event{"many", {fmt::format("i{}", i % 40), 9000000 + i * 7 % 50}});
    }
    for (const int64_t time : {9000000, 9000045, 9000046}) {
      changes.emplace_back(Impression{"many", time, {"i1", "i2"}});
    }
    store.append(std::move(changes));
  }
  const auto newest = [&](size_t hold_out) {
    content_ = write_dataset(state_, *bundle_, out_, hold_out);
    const data::Dataset dataset = data::Dataset::open(out_);
    return dataset.times_of(*dataset.find_user("many")).back();
  };
  EXPECT_EQ(newest(0), 9000049);
  EXPECT_EQ(content_["held_out"], 0);
  EXPECT_EQ(newest(4), 9000045);
  EXPECT_EQ(content_["held_out"], 4);
  EXPECT_EQ(content_["live_events"], 46);
  EXPECT_EQ(content_["live_slates"], 2) << "with what was shown then";
  EXPECT_EQ(newest(1000), 9000039) << "no more than a fifth";
}

TEST_F(ExportTest, WhatWasShownIsKeptWithWhatWasTakenOfIt) {
  constexpr int64_t kNow = 9000000, kWithin = data::kTakenWithin;
  {
    Store store(state_);
    store.append({Impression{"u1", kNow, {"i1", "i2", "i1", "i3"}, {.5, .25, .5, 1}},
                  Event{"u1", {"i2", kNow + 5}}, Impression{"u1", kNow + 10, {"i2", "i4"}},
                  Event{"u1", {"i4", kNow + 10 + kWithin}}, Event{"u1", {"i3", kNow + kWithin + 1}},
                  Impression{"nobody", kNow, {"i1"}}, Impression{"gone", kNow, {"i1"}},
                  EraseUser{"gone"}, Event{"gone", {"i1", kNow + 20}},
                  Impression{"gone", kNow + 20, {"i1", "i5"}}});
  }
  const data::Dataset dataset = exported();
  EXPECT_EQ(content_["live_slates"], 4) << "that of who was erased is left out";
  const auto slates = data::impressions_of(dataset);
  std::vector<std::string> told;
  for (size_t s = 0; s < slates->slates(); ++s) {
    const data::ImpressionSlate slate = slates->slate(s);
    std::string line = fmt::format("{}+{}", dataset.user_id(slate.user), slate.time - kNow);
    for (size_t i = 0; i < slate.items.size(); ++i) {
      line += fmt::format(" {}{}", dataset.item_id(slate.items[i]), slate.clicked[i] ? "*" : "");
      if (!slate.propensities.empty()) line += fmt::format("={}", slate.propensities[i]);
    }
    told.push_back(line);
  }
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"gone+20 i1*=0 i5=0", "u1+0 i1=0.5 i2*=0.25 i3=1",
                                            "u1+10 i2=0 i4*=0"}))
      << "an item counts once, an event within a day";
}

TEST_F(ExportTest, TheSlatesThatWereTrainedOnStay) {
  const fs::path copy = scratch("export_bundle");
  fs::copy(bundle_->dir(), copy, fs::copy_options::recursive);
  const data::Dataset& old = bundle_->dataset();
  const std::vector<data::ItemIndex> items = {*old.find_item("i1"), *old.find_item("i2")};
  const std::vector<uint8_t> clicked = {1, 0};
  data::ImpressionWriter writer(copy / "dataset" / "impressions");
  for (const int64_t time : {8000000, 9000000}) {
    writer.add({*old.find_user("u1"), time, items, clicked});
  }
  writer.finish();
  Store(state_).append({Impression{"u1", 9000000, {"i1", "i2"}}});
  const auto content = write_dataset(state_, *serving::Bundle::open(copy), out_);
  EXPECT_EQ(content["slates"], 2) << "of the same moment that of the log";
  EXPECT_EQ(content["clicks"], 1);
  EXPECT_EQ(data::impressions_of(data::Dataset::open(out_))->slate(0).time, 8000000);
  Store(state_).erase_user("u1");
  EXPECT_FALSE(write_dataset(state_, *serving::Bundle::open(copy), out_).contains("slates"));
}

TEST_F(ExportTest, ReadsALongLogInPieces) {
  {
    Store store(state_);
    std::vector<Change> changes;
    for (int i = 0; i < 25000; ++i) changes.emplace_back(Event{"many", {"i1", 9000000 + i}});
    store.append(std::move(changes));
  }
  EXPECT_EQ(items_of(exported(), "many").size(), 25000u);
}

TEST_F(ExportTest, RefusesWhatIsDamaged) {
  {
    Store store(state_);
    for (const char* const user : {"u1", "u2", "visitor"}) store.add_event(user, {"i1", 9000000});
  }
  Database(state_ / kLogFile).run("UPDATE log SET item = 'i2' WHERE id = 'u2'");
  EXPECT_THROW(exported(), Error);
  Database(state_ / kLogFile).run("UPDATE log SET item = 'i1' WHERE id = 'u2'");
  EXPECT_NO_THROW(exported());
  Database(state_ / kLogFile).run("DELETE FROM log WHERE id = 'visitor'");
  EXPECT_THROW(exported(), Error);
}

TEST_F(ExportTest, ReadsWhatAnOlderPodiumWrote) {
  Database database(state_ / kLogFile);
  database.run(R"(
    CREATE TABLE log (offset INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,
                      id TEXT NOT NULL, item TEXT, time INTEGER) STRICT;
    INSERT INTO log (kind, id, item, time) VALUES (1, 'visitor', 'i1', 9000000), (2, ')" +
               digest_of("u1") + R"(', '', NULL), (1, 'u1', 'i2', 9000001);
    PRAGMA application_id = 0x706F6431;
    PRAGMA user_version = 3;
  )");
  const data::Dataset dataset = exported();
  EXPECT_EQ(items_of(dataset, "visitor"), (std::vector<std::string>{"i1"}));
  EXPECT_EQ(items_of(dataset, "u1"), (std::vector<std::string>{"i2"}));
}

TEST_F(ExportTest, RefusesWhatIsNoLog) {
  EXPECT_THROW(exported(), Error) << "an empty folder";
  write_file_atomic(state_ / kLogFile, "not a database, however long the text that it holds is");
  EXPECT_THROW(exported(), Error);
  EXPECT_FALSE(fs::exists(out_));
}

}  // namespace
}  // namespace podium::store
