// A file whose pages are not what was written: the store does not open, or what is damaged is an
// Error for those who ask for it. It never tells anything else than what it was told.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/store/store.h"

namespace podium::store {
namespace {

constexpr int kUsers = 60;
constexpr size_t kPage = 4096;

std::string user_named(int i) { return fmt::format("user-{}", i); }

class Damage : public testing::Test {
 protected:
  // Two states of one file: `older` before the last events came, `whole` after.
  void SetUp() override {
    for (const bool last : {false, true}) {
      {
        Store store(dir_);
        for (int round = 0; round < 12; ++round) add(store, round + (last ? 12 : 0));
        if (last) continue;
        store.erase_user(user_named(3));
      }
      older_ = read_file(dir_ / kLogFile);
    }
    whole_ = read_file(dir_ / kLogFile);
    const Store store(dir_);
    for (int i = 0; i < kUsers; ++i) {
      truth_.push_back(store.history_of(user_named(i)));
      ASSERT_EQ(truth_.back().erased, i == 3);
    }
    items_ = store.items();
    ASSERT_GT(whole_.size(), 30 * kPage);
  }

  void add(Store& store, int round) {
    std::vector<Change> changes;
    for (int i = 0; i < kUsers; ++i) {
      const std::string user = user_named(i);
      changes.emplace_back(
          Event{user, {fmt::format("item-{}", round), rng_.below(50) == 0 ? 7 : round}});
      if (rng_.below(20) == 0) changes.emplace_back(RemoveEvents{user, "item-2"});
      if (rng_.below(10) == 0) changes.emplace_back(Event{user, {"typed", round, "click", 2}});
      if (rng_.below(10) == 0) changes.emplace_back(Impression{user, round, {"a", "b"}});
    }
    for (int i = 0; i < 4; ++i) {
      changes.emplace_back(PutItem{
          {.id = fmt::format("new-{}", rng_.below(40)), .title = fmt::format("title {}", round)}});
    }
    store.append(std::move(changes), fmt::format("key {}", round));
  }

  std::string damaged(int kind) {
    std::string bytes = whole_;
    const size_t pages = bytes.size() / kPage;
    const size_t page = rng_.below(pages) * kPage;
    switch (kind) {
      case 0:  // a bit
        bytes[page + rng_.below(kPage)] ^= char(1U << rng_.below(8));
        break;
      case 1:  // some bytes
        for (uint64_t n = 1 + rng_.below(40); n > 0; --n) {
          bytes[page + rng_.below(kPage)] = char(rng_.below(256));
        }
        break;
      case 2:  // a page that was never written
        bytes.replace(page, kPage, kPage, '\0');
        break;
      case 3:  // one that was written in the place of another
        bytes.replace(page, kPage, bytes.substr(rng_.below(pages) * kPage, kPage));
        break;
      case 4:  // one that was not written the last time
        if (page < older_.size()) bytes.replace(page, kPage, older_.substr(page, kPage));
        break;
      default:  // the end is missing; an empty file is a new store
        bytes.resize(std::max(page, kPage));
    }
    return bytes;
  }

  // How many answers were refused; all of them when the store does not open.
  int refused() {
    int count = 0;
    try {
      const Store store(dir_);
      EXPECT_TRUE(store.items() == items_);
      for (int i = 0; i < kUsers; ++i) {
        try {
          const serving::LiveHistory history = store.history_of(user_named(i));
          EXPECT_EQ(history.erased, truth_[size_t(i)].erased) << i;
          EXPECT_TRUE(history.events == truth_[size_t(i)].events) << i;
        } catch (const Error& error) {
          EXPECT_FALSE(error.cure().empty());
          ++count;
        }
      }
    } catch (const Error& error) {
      EXPECT_FALSE(error.cure().empty());
      return kUsers;
    }
    return count;
  }

  const fs::path dir_ = scratch_dir("damage");
  Rng rng_{23};
  std::string older_, whole_;
  std::vector<serving::LiveHistory> truth_;
  std::vector<serving::LiveItem> items_;
};

TEST_F(Damage, IsToldAndNeverServed) {
  std::map<std::string, int> outcomes;
  for (int i = 0; i < 400; ++i) {
    for (const auto& entry : fs::directory_iterator(dir_)) fs::remove(entry.path());
    AppendFile(dir_ / kLogFile).append(damaged(i % 6));
    const int count = refused();
    ++outcomes[count == 0 ? "whole" : count == kUsers ? "closed" : "in part"];
    if (HasFailure()) FAIL() << "damage " << i;
  }
  fmt::print("400 damaged files: {} answered everything, {} without some users, {} not at all\n",
             outcomes["whole"], outcomes["in part"], outcomes["closed"]);
  EXPECT_GT(outcomes["in part"], 50);
  EXPECT_GT(outcomes["closed"], 50);
}

// Nobody else suffers from what is damaged, and erasure says when it cannot find all.
TEST_F(Damage, OfOneUserIsNotThatOfOthers) {
  Database(dir_ / kLogFile)
      .run(
          "UPDATE log SET item = 'other' WHERE id = 'user-5' AND kind = 1 AND time = 4;"
          "UPDATE checks SET newest = newest + 1 WHERE id = 'user-6'");
  Store store(dir_);
  EXPECT_THROW((void)store.history_of("user-5"), Error);
  EXPECT_THROW((void)store.history_of("user-6"), Error);
  EXPECT_TRUE(store.history_of("user-7").events == truth_[7].events);
  EXPECT_THROW(store.add_event("user-6", {"a", 1}), Error);
  EXPECT_NO_THROW(store.add_event("user-7", {"a", 1}));
  int failed = 0;
  for (const char* const user : {"user-6", "user-8", "user-9"}) {  // of one transaction, perhaps
    store.submit({Event{user, {"a", 1}}}, "",
                 [&](Offset, const std::exception_ptr& error) { failed += error != nullptr; });
  }
  store.append({Event{"user-10", {"a", 1}}});
  EXPECT_EQ(failed, 1);
  EXPECT_NO_THROW(store.erase_user("user-5")) << "which is a cure";
  EXPECT_TRUE(store.history_of("user-5").events.empty());
}

TEST_F(Damage, OfItemsClosesTheStore) {
  Database(dir_ / kLogFile)
      .run(
          "UPDATE log SET item = replace(item, 'title', 'titel') "
          "WHERE offset = (SELECT max(offset) FROM log WHERE kind = 3)");
  EXPECT_THROW(Store{dir_}, Error);
}

}  // namespace
}  // namespace podium::store
