// What a power cut leaves: all that was acknowledged, nothing by halves, and of erased users no
// byte. $PODIUM_CUTS: how many cuts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/store.h"

namespace podium::store {
namespace {

using serving::LiveEvent;

constexpr size_t kCutsOfARun = 20;

// What was acknowledged before a cut, and what the disk held after it.
struct Cut {
  FaultyVfs::Image image;
  std::set<std::string> users, erased;  // erased: acknowledged
  size_t items = 0;
};

std::string secret_user(int i) { return fmt::format("secret-user-{:04}", i); }

class PowerCut : public testing::Test {
 protected:
  // Appends of two events, now and then an erasure, a key or an item; cut at random moments.
  void work() {
    for (int i = 0; i < 250; ++i) {
      const std::string user = secret_user(i);
      write({Event{user, {"a", 1}}, Event{user, {std::string(1 + rng_.below(3000), 'b'), 2}}},
            rng_.below(4) == 0 ? user : "", [this, user] { now_.users.insert(user); });
      if (rng_.below(10) == 0) {
        write({PutItem{{.id = std::to_string(i), .title = "title"}}}, "", [this] { ++now_.items; });
      }
      if (rng_.below(25) == 0) {
        const std::string gone = secret_user(int(rng_.below(uint64_t(i) + 1)));
        ended_.insert(gone);
        write({EraseUser{gone}}, "", [this, gone] { now_.erased.insert(gone); });
      }
      if (rng_.below(3) == 0) store_->append({Impression{"somebody", 1, {"a"}}});  // waits
    }
  }
  void write(std::vector<Change> changes, std::string key, std::function<void()> acknowledged) {
    store_->submit(std::move(changes), std::move(key),
                   [acknowledged](Offset, const std::exception_ptr& error) {
                     EXPECT_FALSE(error);
                     acknowledged();
                   });
  }

  void run(size_t cuts) {
    fs::remove_all(dir_);
    now_ = {}, ended_ = {}, cuts_ = {};
    const auto chance = 12 + rng_.below(60);
    vfs_.emplace();
    vfs_->before = [&, chance, fork = rng_.fork("cuts")]() mutable {
      if (cuts_.size() == cuts || fork.below(chance) != 0) return;
      cuts_.push_back({vfs_->cut(fork), now_.users, now_.erased, now_.items});
    };
    store_.emplace(dir_);
    work();
    store_.reset();
    vfs_.reset();
  }

  void check(const Cut& cut) {
    const FaultyVfs vfs;  // whose syncs take no time
    const fs::path dir = scratch_dir("power_cut_after");
    for (const auto& [name, bytes] : cut.image) AppendFile(dir / name).append(bytes);
    for (const std::string& user : cut.erased) {
      for (const auto& [name, bytes] : cut.image) {
        ASSERT_EQ(bytes.find(user), std::string::npos) << user << " in " << name;
      }
    }
    const Store store(dir);
    for (int i = 0; i < 250; ++i) {
      const std::string user = secret_user(i);
      const serving::LiveHistory history = store.history_of(user);
      const size_t events = history.events.size();
      if (cut.erased.contains(user)) {
        EXPECT_TRUE(history.erased);
      }
      if (history.erased) {
        EXPECT_TRUE(ended_.contains(user));
        EXPECT_EQ(events, 0u);
      } else if (cut.users.contains(user)) {
        EXPECT_EQ(events, 2u) << user << " was acknowledged";
      } else {
        EXPECT_TRUE(events == 0 || events == 2) << user << " by halves";
      }
    }
    EXPECT_GE(store.items().size(), cut.items);
  }

  const fs::path dir_ = scratch("power_cut");
  Rng rng_{17};
  std::optional<FaultyVfs> vfs_;
  std::optional<Store> store_;
  Cut now_;
  std::set<std::string> ended_;  // whose erasure began
  std::vector<Cut> cuts_;
};

TEST_F(PowerCut, LosesNothingThatWasAcknowledged) {
  const char* const told = std::getenv("PODIUM_CUTS");
  const size_t count = told != nullptr ? size_t(std::atoi(told)) : 300;
  size_t checked = 0, found = 0;
  while (checked < count) {
    run(std::min(kCutsOfARun, count - checked));
    for (const Cut& cut : cuts_) {
      check(cut);
      found += cut.users.size();
      if (HasFailure()) FAIL() << "cut " << checked;
      ++checked;
    }
  }
  EXPECT_GT(found, checked * 10) << "there was something to lose";
  fmt::print("{} power cuts, {} acknowledged appends in them\n", checked, found);
}

}  // namespace
}  // namespace podium::store
