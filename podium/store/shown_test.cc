#include "podium/store/shown.h"

#include <gtest/gtest.h>

#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/store.h"

namespace podium::store {
namespace {

using serving::ShownCounts;
using Counts = std::vector<ShownCounts>;

constexpr std::string_view kIds[] = {"a", "b"};

Change saw(std::string user, std::vector<std::string> items, int64_t time = 10) {
  return Impression{.user = std::move(user), .time = time, .items = std::move(items)};
}
Change took(std::string user, std::string item, int64_t time = 20) {
  return Event{std::move(user), {std::move(item), time}};
}

Counts counted(const std::vector<Change>& changes, int64_t newest = 1000) {
  Shown all(newest);
  Offset offset = 0;
  for (const Change& change : changes) all.apply(++offset, change);
  return all.of(kIds);
}

TEST(Shown, CountsWhatWasTakenAfterItWasShown) {
  EXPECT_TRUE(counted({took("u", "a")}).empty()) << "nothing was shown";
  EXPECT_EQ(counted({saw("u", {"a", "b"}), took("u", "a")}), (Counts{{1, 1}, {1, 0}}));
  EXPECT_EQ(counted({took("u", "a"), saw("u", {"a", "b"})}), (Counts{{1, 0}, {1, 0}}));
  EXPECT_EQ(counted({saw("u", {"a"}), took("v", "a")}), (Counts{{1, 0}, {}})) << "another user";
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "b")}), (Counts{{1, 0}, {}})) << "not shown";
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "a", 9)}), (Counts{{1, 0}, {}})) << "before";
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "a", 10 + kTakenWithin)}), (Counts{{1, 1}, {}}));
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "a", 11 + kTakenWithin)}), (Counts{{1, 0}, {}}));
}

TEST(Shown, CountsAnEventOnceForEachImpression) {
  EXPECT_EQ(counted({saw("u", {"a", "a"}), took("u", "a"), took("u", "a")}), (Counts{{1, 1}, {}}));
  const std::vector<Change> twice = {saw("u", {"a"}), saw("u", {"a"}), took("u", "a"),
                                     took("u", "a")};
  EXPECT_EQ(counted(twice), (Counts{{2, 1}, {}})) << "both events are of the second";
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "a"), saw("u", {"a"}), took("u", "a")}),
            (Counts{{2, 2}, {}}));
}

TEST(Shown, ForgetsUsersAndWhatIsOld) {
  EXPECT_EQ(counted({saw("u", {"a"}), took("u", "a"), saw("v", {"b"}), EraseUser{"u"}}),
            (Counts{{}, {1, 0}}));
  EXPECT_EQ(counted({saw("u", {"a"}), saw("u", {"b"}), took("u", "b")}, 2), (Counts{{}, {1, 1}}));
  EXPECT_EQ(counted({saw("u", std::vector<std::string>(60, "c")), saw("v", {"a"})}),
            (Counts{{1, 0}, {}}));
}

TEST(Shown, IsTheSameAfterARestart) {
  const FaultyVfs quick;
  const fs::path dir = scratch_dir("shown");
  Counts before;
  const StoreOptions options{.count_shown = 6};
  {
    Store store(dir, options);
    store.append({saw("old", {"a", "b"})});
    store.append({saw("u", {"a", "b"}), took("u", "a")}, "key");
    store.append({saw("u", {"a", "b"}), took("u", "a")}, "key");
    EXPECT_EQ(store.shown(kIds), (Counts{{2, 1}, {2, 0}})) << "sent twice, counted once";
    store.append({saw("gone", {"b"}), took("gone", "b")});
    EXPECT_EQ(store.shown(kIds)[1], (ShownCounts{3, 1}));
    store.erase_user("gone");
    store.append({saw("v", {"b"})});
    before = store.shown(kIds);
    EXPECT_EQ(before, (Counts{{1, 1}, {2, 0}})) << "the first is too old";
  }
  EXPECT_EQ(Store(dir, options).shown(kIds), before);
}

}  // namespace
}  // namespace podium::store
