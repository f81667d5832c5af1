#include "podium/serving/live_state.h"

#include <gtest/gtest.h>

#include <thread>

namespace podium::serving {
namespace {

TEST(MemoryState, KeepsTheNewestEventsByTime) {
  MemoryState state;
  for (int i = 0; i < int(kLiveEvents) + 10; ++i) state.add_event("u", {"item", 1000 - i});
  state.add_event("u", {"late", 999});
  const LiveHistory history = state.history_of("u");
  ASSERT_EQ(history.events.size(), kLiveEvents);
  for (size_t i = 1; i < history.events.size(); ++i) {
    EXPECT_LE(history.events[i - 1].time, history.events[i].time);
  }
  EXPECT_EQ(history.events.back().time, 1000);
  EXPECT_EQ(history.events[kLiveEvents - 2].item, "late") << "of one moment, in order of arrival";
  EXPECT_TRUE(state.history_of("v").events.empty());
  EXPECT_FALSE(state.history_of("v").erased);
}

TEST(MemoryState, ErasesAUser) {
  MemoryState state;
  state.add_event("u", {"a", 1});
  state.erase_user("u");
  EXPECT_TRUE(state.history_of("u").events.empty());
  EXPECT_TRUE(state.history_of("u").erased);
  state.add_event("u", {"b", 2});
  EXPECT_EQ(state.history_of("u").events, (std::vector<LiveEvent>{{"b", 2}}));
  EXPECT_TRUE(state.history_of("u").erased) << "what the bundle knows stays forgotten";
}

TEST(MemoryState, ReplacesAndRemovesItems) {
  MemoryState state;
  std::vector<LiveItem> items(2);
  items[0].id = "b";
  items[1].id = "a";
  state.put_items(items);
  items[0].title = "new title";
  state.put_items(std::span(items).first(1));
  ASSERT_EQ(state.items().size(), 2u);
  EXPECT_EQ(state.items()[1], items[0]) << "prices are unknown in both";
  EXPECT_TRUE(state.remove_item("a"));
  EXPECT_FALSE(state.remove_item("a"));
  EXPECT_EQ(state.items().size(), 1u);
}

TEST(MemoryState, ManyThreads) {
  MemoryState state;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          state.add_event("shared", {"a", i});
          EXPECT_LE(state.history_of("shared").events.size(), kLiveEvents);
          if (t == 0 && i % 50 == 0) state.erase_user("other");
        }
      });
    }
  }
  EXPECT_EQ(state.history_of("shared").events.size(), 800u);
}

}  // namespace
}  // namespace podium::serving
