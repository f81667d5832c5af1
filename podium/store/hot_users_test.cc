#include "podium/store/hot_users.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/store.h"

namespace podium::store {
namespace {

using serving::LiveEvent;

TEST(UserState, KeepsAndRemovesEventsAndWhatIsTold) {
  UserState state;
  for (const char* const type : {"read", "star", ""}) state.apply(Event{"u", {"a", 1, type}});
  state.apply(Event{"u", {"b", 1, "read"}});
  state.apply(RemoveEvents{"u", "a", "read"});
  EXPECT_EQ(state.events.size(), 3u);
  state.apply(RemoveEvents{"u", "a"});
  EXPECT_EQ(state.events, (std::vector<LiveEvent>{{"b", 1, "read"}}));
  state.apply(PutUser{"u", "{}"});
  EXPECT_EQ(state.told, "{}");
  state.apply(EraseUser{"u"});
  EXPECT_TRUE(state.events.empty());
  EXPECT_FALSE(state.told);
}

ReadUser one_event(std::string_view user) { return {{{{std::string(user), 1}}, {}}, 1}; }

TEST(HotUsers, KeepsWhoWasAskedForWithinItsBound) {
  int read = 0;
  HotUsers users(5000, [&](std::string_view user) {
    ++read;
    return one_event(user);
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(users.get(std::to_string(i)).events[0].item, std::to_string(i));
    users.get("often");
    EXPECT_LE(users.bytes(), 5000u);
  }
  EXPECT_EQ(read, 101) << "who is asked for often stays";
  EXPECT_GT(users.size(), 5u);
  HotUsers none(0, one_event);
  for (const char* const user : {"a", "b", "a"}) {
    EXPECT_EQ(none.get(user).events[0].item, user);
    EXPECT_EQ(none.size(), 1u);
  }
}

TEST(HotUsers, TakesAChangeOnceWhetherItWasReadOrNot) {
  HotUsers users(1 << 20, [](std::string_view user) {
    ReadUser read = one_event(user);
    read.upto = 5;
    return read;
  });
  users.apply(4, Event{"u", {"early", 4}});  // nobody has it in memory
  users.get("u");
  users.apply(5, Event{"u", {"read", 5}});  // was read before it was told here
  users.apply(6, Event{"u", {"late", 6}});
  EXPECT_EQ(users.get("u").events, (std::vector<LiveEvent>{{"u", 1}, {"late", 6}}));
  users.drop({"u", "nobody"});
  EXPECT_EQ(users.get("u").events.size(), 1u) << "read again";
}

// A change that comes while a user is read is in no later answer missing.
TEST(HotUsers, KeepsNothingThatAChangeOvertook) {
  std::vector<LiveEvent> log;
  HotUsers* all = nullptr;
  HotUsers users(1 << 20, [&](std::string_view) {
    const ReadUser read{{log, {}}, Offset(log.size())};
    if (log.size() < 3) {
      log.push_back({"a", int64_t(log.size())});
      all->apply(Offset(log.size()), Event{"u", log.back()});
    }
    return read;
  });
  all = &users;
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(users.get("u").events.size(), std::min<size_t>(i, 3));
}

// With room for a user or two it answers as one that holds all.
TEST(HotUsers, AnswerAsIfAllWereInMemory) {
  const FaultyVfs quick;  // whose syncs take no time
  const fs::path some_dir = scratch_dir("hot_some"), all_dir = scratch_dir("hot_all");
  Rng rng(3);
  const auto user = [&] { return fmt::format("user {}", rng.below(40)); };
  const auto change = [&]() -> Change {
    const std::string who = user(), item = std::to_string(rng.below(9));
    switch (rng.below(12)) {
      case 0:
        return EraseUser{who};
      case 1:
        return RemoveEvents{who, item};
      case 2:
        return RemoveEvents{who, item, "read"};
      case 3:
        return PutUser{who, fmt::format("{{\"n\":{}}}", rng.below(100))};
      case 4:
        return Impression{who, 1, {item}};
      case 5:
        return Event{who, {item, int64_t(rng.below(50)), "read", 1}};
      default:
        return Event{who, {item, int64_t(rng.below(50))}};
    }
  };
  for (int round = 0; round < 8; ++round) {
    Store some(some_dir, {.hot_bytes = 2000}), all(all_dir);
    for (int step = 0; step < 60; ++step) {
      std::vector<Change> changes;
      for (uint64_t n = rng.below(8) + 1; n > 0; --n) changes.push_back(change());
      ASSERT_EQ(some.append(changes), all.append(changes));
      for (int ask = 0; ask < 6; ++ask) {
        const std::string who = user();
        const serving::LiveUser a = some.user(who), b = all.user(who);
        ASSERT_EQ(a.history.events, b.history.events) << who;
        ASSERT_EQ(a.history.erased, b.history.erased) << who;
        ASSERT_EQ(a.told, b.told) << who;
      }
      ASSERT_LE(some.hot_bytes(), 10000u);
    }
    const auto a = some.users_from("", 100), b = all.users_from("", 100);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].id, b[i].id);
      EXPECT_EQ(a[i].history.events, b[i].history.events);
      EXPECT_EQ(a[i].history.events, all.user(a[i].id).history.events);
    }
  }
}

// Several threads ask while others write: who has heard that an event is kept finds it.
TEST(HotUsers, AreTheSameForManyThreads) {
  Store store(scratch_dir("hot_threads"), {.hot_bytes = 3000});
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Rng rng = Rng(5).fork(uint64_t(t));
        const std::string own = fmt::format("user {}", t);
        for (size_t i = 1; i <= 100; ++i) {
          store.append({Event{own, {"a", int64_t(i)}}, Event{"shared", {"b", int64_t(i)}}});
          wrong += store.history_of(own).events.size() != i;
          wrong += store.history_of("shared").events.size() < i;
          store.history_of(fmt::format("user {}", rng.below(10)));
          if (i % 50 == 0) store.erase_user(fmt::format("user {}", 5 + t));
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(store.history_of("shared").events.size(), 400u);
}

}  // namespace
}  // namespace podium::store
