// Clocks that jump: nothing is out of order, lost, written twice or dropped because of it. And what
// is to be dropped in time is.
#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/store.h"
#include "podium/store/test_files.h"

namespace podium::store {
namespace {

using serving::LiveEvent;
using std::chrono::hours;

constexpr int64_t kDay = 86400, kYear = 365 * kDay, kStart = 20000 * kDay;

std::vector<std::string> items_of(const Store& store, const std::string& user) {
  std::vector<std::string> items;
  for (const LiveEvent& event : store.history_of(user).events) items.push_back(event.item);
  return items;
}

class ClockTest : public testing::Test {
 protected:
  StoreOptions options(int64_t keep_days = 0) {
    return {.keep_days = keep_days,
            .clocks = {.unix_time = [this] { return time_.load(); },
                       .now = [this] { return serving::Clock::time_point(hours(hours_)); }},
            .tend_every = std::chrono::seconds(0)};
  }
  void pass(hours time) {
    hours_ += time.count();
    time_ += std::chrono::seconds(time).count();
  }
  static Change now(std::string user, std::string item) {
    return Event{std::move(user), {std::move(item), 0}, true};
  }

  const FaultyVfs quick_;  // whose syncs take no time
  const fs::path dir_ = scratch_dir("clock");
  std::atomic<int64_t> time_{kStart};
  std::atomic<int64_t> hours_{1000};
};

TEST_F(ClockTest, WhatHappensNowComesAfterWhatHappened) {
  std::vector<std::string> told;
  for (const int64_t jump : {int64_t{0}, -10 * kYear, 5 * kDay, 100 * kYear, -110 * kYear, kDay}) {
    time_ += jump;
    Store store(dir_, options());
    for (int i = 0; i < 3; ++i) {
      told.push_back(std::to_string(told.size()));
      store.append({now("u", told.back())});
    }
    EXPECT_EQ(items_of(store, "u"), told) << jump;
    EXPECT_TRUE(store.history_of("v").events.empty());
  }
  Store store(dir_, options());
  EXPECT_EQ(items_of(store, "u"), told);
  for (size_t i = 0; i < serving::kLiveEvents; ++i) store.append({now("u", "late")});
  EXPECT_EQ(items_of(store, "u").front(), "late") << "the oldest go first";
  store.append({Event{"u", {"told", 5}}, now("w", "a")});
  EXPECT_EQ(store.history_of("w").events, (std::vector<LiveEvent>{{"a", time_}}))
      << "nobody else has that time";
}

TEST_F(ClockTest, AppendsAreTheSameWhenTheClockIsAnother) {
  Store store(dir_, options());
  const std::vector<Change> changes = {now("u", "a"),
                                       Impression{.user = "u", .items = {"a"}, .now = true}};
  const Offset offset = store.append(changes, "key");
  for (const int64_t jump : {int64_t{7}, 10 * kYear, -20 * kYear}) {
    time_ += jump;
    EXPECT_EQ(store.append(changes, "key"), offset);
  }
  EXPECT_THROW(store.append({Event{"u", {"a", kStart}}}, "key"), Error);
}

TEST_F(ClockTest, KeysAreKeptForSevenDaysOfRunning) {
  Offset offset = 0;
  {
    Store store(dir_, options());
    offset = store.append({now("u", "a")}, "key");
  }
  for (const int64_t jump : {10 * kYear, -20 * kYear}) {
    time_ += jump;
    EXPECT_EQ(Store(dir_, options()).append({now("u", "a")}, "key"), offset);
  }
  for (int day = 0; day < 7; ++day) {
    Store store(dir_, options());
    EXPECT_EQ(store.append({now("u", "a")}, "key"), offset) << day;
    pass(hours(24));
  }
  {
    const Store open(dir_, options());
    pass(hours(1));
  }
  Store store(dir_, options());
  EXPECT_GT(store.append({now("u", "a")}, "key"), offset);
}

TEST_F(ClockTest, DropsWhatCameTooLongAgo) {
  {
    Store store(dir_, options(30));
    store.append({now("secret-user", "secret-item"), now("both", "secret-item"),
                  Impression{"secret-user", kStart, {"secret-item"}},
                  RemoveEvents{"secret-user", "secret-other"}, PutUser{"told", "{}"},
                  PutItem{{.id = "kept", .title = "kept"}}});
    for (int day = 1; day <= 30; ++day) {
      pass(hours(24));
      store.append({Event{"both", {"old", 5}}});  // whatever it says of its time
    }
    EXPECT_EQ(items_of(store, "secret-user").size(), 1u) << "it came 30 days ago";
    EXPECT_EQ(items_of(store, "both").size(), 31u);
    pass(hours(24));
    store.append({now("both", "new")});
    store.append({now("both", "new")});  // what is too old was dropped before it
    EXPECT_TRUE(items_of(store, "secret-user").empty());
    EXPECT_EQ(items_of(store, "both").size(), 32u);
    store.append({now("both", "new")});
    EXPECT_EQ(bytes_of(dir_).find("secret"), std::string::npos);
    EXPECT_EQ(store.user("told").told, "{}");
    EXPECT_FALSE(store.history_of("secret-user").erased);
  }
  const Store store(dir_, options());
  EXPECT_EQ(items_of(store, "both").size(), 33u);
  EXPECT_EQ(store.items().size(), 1u);
  Database database = Database::reader(dir_ / kLogFile);
  EXPECT_EQ(database.number("SELECT count(*) FROM log WHERE kind = 5"), 0);
}

TEST_F(ClockTest, DropsALongLogInPieces) {
  {
    Store store(dir_, options());
    std::vector<Change> changes;
    for (int i = 0; i < 7000; ++i) changes.push_back(now(std::to_string(i % 50), "old"));
    store.append(std::move(changes));
    pass(hours(240));
    store.append({now("0", "new")});
  }
  Store store(dir_, options(5));
  for (int i = 0; i < 5; ++i) store.append({now("0", "new")});
  EXPECT_EQ(items_of(store, "0").size(), 6u);
  EXPECT_TRUE(items_of(store, "7").empty());
  EXPECT_EQ(Database::reader(dir_ / kLogFile).number("SELECT count(*) FROM log"), 6);
}

TEST_F(ClockTest, AJumpDropsNothing) {
  const auto events = [&](int64_t keep_days, hours open) {
    Store store(dir_, options(keep_days));
    store.append({now("u", "a")});
    store.append({now("u", "a")});
    const size_t count = items_of(store, "u").size();
    pass(open);
    return count;
  };
  size_t count = events(30, hours(1));
  for (const int64_t jump : {20 * kYear, -20 * kYear, -3 * kYear, 3 * kYear}) {
    time_ += jump;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(events(30, hours(10)), count += 2) << jump;
  }
  for (int day = 0; day < 32; ++day) events(0, hours(24));
  EXPECT_LT(events(30, hours(0)), 70u) << "what came by the wrong clock grows old, too";
}

}  // namespace
}  // namespace podium::store
