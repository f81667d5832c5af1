#include "podium/store/store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/test_files.h"

namespace podium::store {
namespace {

using serving::LiveEvent;
using serving::LiveItem;

Change event(std::string user, std::string item, int64_t time) {
  return Event{std::move(user), {std::move(item), time}};
}

LiveItem item_named(std::string id, std::string title = "") {
  LiveItem item;
  item.id = std::move(id);
  item.title = std::move(title);
  return item;
}

class StoreTest : public testing::Test {
 protected:
  const fs::path dir_ = scratch_dir("store");
};

TEST_F(StoreTest, NobodyHasNoHistory) {
  Store store(dir_);
  const LiveItem item = item_named("new");
  store.put_items({&item, 1});
  EXPECT_TRUE(store.history_of("").events.empty());
  EXPECT_FALSE(store.history_of("").erased);
}

TEST_F(StoreTest, KeepsWhatItAcknowledged) {
  LiveItem item = item_named("new", "a \"title\"\n"), unpriced = item_named("other");
  item.categories = {"x", "y"};
  item.price = 2;
  unpriced.description = "\xC3\xA9";
  {
    Store store(dir_);
    EXPECT_EQ(store.applied(), 0);
    EXPECT_EQ(store.append({event("u", "a", 5), event("u", "b", 3)}), 2);
    store.add_event("v", {"a", 7});
    store.put_items(std::vector{item, unpriced, item_named("gone")});
    EXPECT_TRUE(store.remove_item("gone"));
    EXPECT_FALSE(store.remove_item("gone"));
    EXPECT_EQ(store.applied(), 7);
  }
  Store again(dir_);
  EXPECT_EQ(again.applied(), 7);
  EXPECT_EQ(again.history_of("u").events, (std::vector<LiveEvent>{{"b", 3}, {"a", 5}}));
  EXPECT_EQ(again.history_of("v").events, (std::vector<LiveEvent>{{"a", 7}}));
  EXPECT_TRUE(again.history_of("nobody").events.empty());
  EXPECT_EQ(again.items(), (std::vector{item, unpriced}));
  EXPECT_EQ(again.append({event("u", "c", 9)}), 8);
}

TEST_F(StoreTest, KeepsTypesOfEventsAndWhatIsToldOfUsers) {
  LiveItem item = item_named("new");
  item.time = 77;
  item.labels = R"(["a","b"])";
  {
    Store store(dir_);
    store.append({Event{"u", {"a", 1, "read", 2.5}}, Event{"u", {"a", 2, "star"}},
                  event("u", "a", 3), Event{"u", {"b", 4, "star"}},
                  PutUser{"told", R"({"Comment":"c"})"}});
    store.append({RemoveEvents{"u", "a", "star"}, RemoveEvents{"u", "b"}, RemoveEvents{"v", "a"}});
    store.put_items(std::vector{item});
  }
  const Store store(dir_);
  EXPECT_EQ(store.user("u").history.events,
            (std::vector<LiveEvent>{{"a", 1, "read", 2.5}, {"a", 3}}));
  EXPECT_FALSE(store.user("u").told);
  EXPECT_EQ(store.user("told").told, R"({"Comment":"c"})");
  EXPECT_EQ(store.item("new"), item);
  EXPECT_FALSE(store.item("u"));
  const auto users = store.users_from("to", 10);
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].id, "told");
  EXPECT_EQ(users[1].id, "u");
  EXPECT_EQ(store.users_from("", 1).size(), 1u);
}

TEST_F(StoreTest, ATypedEventIsAnotherChangeThanOneWithout) {
  Store store(dir_);
  store.append({Event{"u", {"a", 1, "read"}}}, "key");
  EXPECT_NO_THROW(store.append({Event{"u", {"a", 1, "read"}}}, "key"));
  EXPECT_THROW(store.append({Event{"u", {"a", 1, "star"}}}, "key"), Error);
  EXPECT_THROW(store.append({event("u", "a", 1)}, "key"), Error);
  EXPECT_EQ(store.history_of("u").events.size(), 1u);
}

// A log as podium wrote it until version 3.
constexpr const char* kOldLog = R"(
  PRAGMA journal_mode = WAL;
  CREATE TABLE log (
    offset INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, id TEXT NOT NULL, item TEXT,
    time INTEGER
  ) STRICT;
  CREATE INDEX log_id ON log (id);
  CREATE TABLE keys (
    key TEXT PRIMARY KEY, changes TEXT NOT NULL, offset INTEGER NOT NULL, time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO log (kind, id, item, time) VALUES
    (1, 'u', 'a', 5), (5, 'u', '{"items":["a"]}', 2), (3, 'i', '{"brand":"","categories":[],'
    || '"description":"","title":"old"}', NULL), (1, 'v', 'a', 1), (6, 'u',
    '{"item":"b","type":"read"}', 3), (2, '0123', '', NULL), (3, 'i', '{"brand":"",'
    || '"categories":[],"description":"","title":"new"}', NULL), (1, 'u', 'c', 4);
  PRAGMA application_id = 0x706F6431;
)";

TEST_F(StoreTest, OpensWhatAnOlderPodiumWrote) {
  const fs::path file = dir_ / kLogFile;
  for (const int64_t version : {1, 2, 3}) {
    fs::remove(file);
    {
      Database database(file);
      database.run(kOldLog);
      database.run(fmt::format("PRAGMA user_version = {}", version));
    }
    {
      Store store(dir_);
      EXPECT_EQ(store.applied(), 8);
      EXPECT_EQ(store.history_of("u").events,
                (std::vector<LiveEvent>{{"b", 3, "read"}, {"c", 4}, {"a", 5}}));
      EXPECT_EQ(store.items(), (std::vector{item_named("i", "new")}));
      EXPECT_EQ(store.append({Event{"u", {"b", 6, "read"}}, EraseUser{"v"}}), 10);
    }
    const Store store(dir_);
    EXPECT_EQ(store.history_of("u").events.size(), 4u);
    EXPECT_TRUE(store.history_of("v").erased);
    Database database = Database::reader(file);
    EXPECT_EQ(database.number("PRAGMA user_version"), 4);
    EXPECT_EQ(database.number("SELECT count(*) FROM log WHERE kind = 3"), 2) << "as they were";
  }
}

TEST_F(StoreTest, WritesAnAppendOnceHoweverOftenItComes) {
  Store store(dir_);
  const Offset first = store.append({event("u", "a", 1), event("u", "b", 2)}, "key");
  EXPECT_EQ(store.append({event("u", "a", 1), event("u", "b", 2)}, "key"), first);
  EXPECT_EQ(store.history_of("u").events.size(), 2u);
  EXPECT_THROW(store.append({event("u", "a", 1)}, "key"), Error);
  EXPECT_GT(store.append({event("u", "a", 1)}, "another"), first);
  // Within one transaction, too.
  std::vector<Offset> offsets;
  for (int i = 0; i < 50; ++i) {
    store.submit({event("w", "a", 1)}, "same", [&](Offset offset, const std::exception_ptr& error) {
      EXPECT_FALSE(error);
      offsets.push_back(offset);
    });
  }
  const Offset last = store.append({event("w", "b", 2)});
  EXPECT_EQ(offsets.size(), 50u);
  EXPECT_EQ(std::set(offsets.begin(), offsets.end()).size(), 1u);
  EXPECT_EQ(last, offsets[0] + 1);
  EXPECT_EQ(store.history_of("w").events.size(), 2u);
}

TEST_F(StoreTest, RemembersKeysAfterItWasOpenedAgain) {
  const Offset first = Store(dir_).append({event("u", "a", 1)}, "key");
  Store store(dir_);
  EXPECT_EQ(store.append({event("u", "a", 1)}, "key"), first);
  EXPECT_EQ(store.history_of("u").events.size(), 1u);
}

TEST_F(StoreTest, ErasesAUserFromEveryFile) {
  {
    Store store(dir_);
    for (int i = 0; i < 200; ++i) {
      store.append({event("secret-user-42", "secret-item-" + std::to_string(i), i)},
                   "secret-user-42/" + std::to_string(i));
    }
    store.append({Event{"secret-user-42", {"secret-item", 1, "secret-type"}},
                  RemoveEvents{"secret-user-42", "secret-item", "secret-type"},
                  PutUser{"secret-user-42", "secret-comment"}});
    EXPECT_TRUE(store.user("secret-user-42").told);
    store.add_event("other", {"kept-item", 1});
    ASSERT_NE(bytes_of(dir_).find("secret-user"), std::string::npos);
    store.erase_user("secret-user-42");
    EXPECT_TRUE(store.history_of("secret-user-42").erased);
    EXPECT_FALSE(store.user("secret-user-42").told);
    EXPECT_EQ(bytes_of(dir_).find("secret"), std::string::npos) << "while it is open";
  }
  EXPECT_EQ(bytes_of(dir_).find("secret"), std::string::npos);
  EXPECT_NE(bytes_of(dir_).find("kept-item"), std::string::npos);
  Store store(dir_);
  EXPECT_TRUE(store.history_of("secret-user-42").erased) << "what the bundle knows counts no more";
  EXPECT_TRUE(store.history_of("secret-user-42").events.empty());
  EXPECT_TRUE(store.erased("secret-user-42"));
  EXPECT_FALSE(store.erased("other"));
  EXPECT_FALSE(store.history_of("other").erased);
  store.add_event("secret-user-42", {"b", 500});
  EXPECT_EQ(store.history_of("secret-user-42").events.size(), 1u) << "later events count again";
}

// Pages are split, filled and merged: no copy of a row stays behind in one of them.
TEST_F(StoreTest, ErasesAFewOfManyUsersFromEveryPage) {
  const FaultyVfs quick;  // whose syncs take no time
  constexpr uint64_t kMany = 1500;
  Rng rng(29);
  const auto name = [](uint64_t i) { return fmt::format("secret-{:05}.", i * 7919 % 99991); };
  std::set<std::string> erased;
  Store store(dir_);
  for (int round = 0; round < 40; ++round) {
    std::vector<Change> changes;
    for (int n = 0; n < 300; ++n) {
      const std::string user = name(rng.below(kMany));
      if (erased.contains(user)) continue;
      const std::string item = user + std::string(rng.below(60), 'x');
      changes.push_back(event(user, item, round));
      if (rng.below(4) == 0) changes.emplace_back(Impression{user, round, {item}});
      if (rng.below(10) == 0) changes.emplace_back(PutUser{user, item});
    }
    store.append(std::move(changes));
    for (int n = 0; round > 10 && n < 8; ++n) {
      const std::string gone = name(rng.below(kMany));
      erased.insert(gone);
      store.erase_user(gone);
    }
  }
  const std::string bytes = bytes_of(dir_);
  for (const std::string& user : erased) {
    ASSERT_EQ(bytes.find(user), std::string::npos) << user << " of " << erased.size();
  }
}

TEST_F(StoreTest, OffsetsAreNeverUsedTwice) {
  Offset erased = 0;
  {
    Store store(dir_);
    store.append({event("u", "a", 1)});
    erased = store.append({EraseUser{"u"}});
  }
  EXPECT_GT(Store(dir_).append({event("u", "a", 1)}), erased);
}

TEST_F(StoreTest, BelongsToOneProcessAndToPodium) {
  const auto opening = [&] { const Store second(dir_); };
  {
    const Store store(dir_);
    EXPECT_THROW(opening(), Error);
  }
  EXPECT_NO_THROW(opening());
  fs::remove(dir_ / "podium.sqlite");
  { Database(dir_ / "podium.sqlite").run("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)"); }
  EXPECT_THROW(opening(), Error);
  EXPECT_EQ(Database(dir_ / "podium.sqlite").number("SELECT x FROM mine"), 1);
  fs::remove(dir_ / "podium.sqlite");
  write_file_atomic(dir_ / "podium.sqlite", std::string(5000, 'x'));
  EXPECT_THROW(opening(), Error);
  EXPECT_EQ(read_file(dir_ / "podium.sqlite"), std::string(5000, 'x'));
}

TEST_F(StoreTest, RefusesANewerVersion) {
  { const Store store(dir_); }
  Database(dir_ / "podium.sqlite").run("PRAGMA user_version = 9");
  EXPECT_THROW(Store store(dir_), Error);
}

// Killed at any moment, it has all that it acknowledged, and nothing by halves.
// $PODIUM_CYCLES: how many kills.
TEST_F(StoreTest, LosesNothingToAKill) {
  const char* const number = std::getenv("PODIUM_CYCLES");
  const int cycles = number != nullptr ? std::atoi(number) : 20;
  Rng rng(5);
  std::set<std::string> acknowledged;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Store store(dir_);
      for (int i = 0;; ++i) {
        const std::string user = std::to_string(cycle) + "-" + std::to_string(i);
        store.submit({event(user, "a", 1), event(user, "b", 2)}, user,
                     [&, user](Offset, const std::exception_ptr& error) {
                       const std::string line = user + "\n";
                       if (!error) (void)!::write(pipe[1], line.data(), line.size());
                     });
        if (i % 8 == 0) store.add_event("busy", {"c", i});
      }
    }
    ::close(pipe[1]);
    std::string told;
    const auto hear = [&] {
      char buffer[4096];
      const ssize_t n = ::read(pipe[0], buffer, sizeof(buffer));
      if (n > 0) told.append(buffer, size_t(n));
      return n > 0;
    };
    const auto wanted = std::ptrdiff_t(rng.below(40));
    while (std::count(told.begin(), told.end(), '\n') < wanted && hear()) {
    }
    ::usleep(useconds_t(rng.below(10000)));
    ::kill(child, SIGKILL);
    while (hear()) {
    }
    ::close(pipe[0]);
    ::waitpid(child, nullptr, 0);
    for (size_t at = 0, end; (end = told.find('\n', at)) != std::string::npos; at = end + 1) {
      acknowledged.insert(told.substr(at, end - at));
    }
    const Store store(dir_);
    for (const std::string& user : acknowledged) {
      ASSERT_EQ(store.history_of(user).events.size(), 2u) << user;
    }
  }
  fmt::print("{} kills, {} acknowledged appends before them\n", cycles, acknowledged.size());
  EXPECT_GT(acknowledged.size(), 100u);
}

}  // namespace
}  // namespace podium::store
