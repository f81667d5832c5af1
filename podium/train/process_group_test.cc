#include "podium/train/process_group.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>

#include "podium/base/error.h"

namespace podium::train {
namespace {

// Whether an Error came that says `words`.
bool refused(const std::function<void()>& call, const std::string& words) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()).find(words) != std::string::npos;
  }
  return false;
}

// body(group) on threads that stand for processes, over the loopback interface.
void on_ranks(int size, uint16_t port, const std::function<void(const ProcessGroup&)>& body,
              std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  ::setenv("GLOO_SOCKET_IFNAME", "lo", 1);
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back([=, &body] {
      GroupSettings settings;
      settings.rank = rank;
      settings.size = size;
      settings.address = "127.0.0.1";
      settings.port = port;
      settings.timeout = timeout;
      body(ProcessGroup(settings));
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

// The first of two ports of this process.
uint16_t free_port() { return uint16_t(20000 + 2 * (::getpid() % 6000)); }

using Variables = std::map<std::string, std::string>;

// The environment of a launcher, taken back at the end.
class Launched {
 public:
  explicit Launched(const Variables& variables) : variables_(variables) {
    for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Launched() {
    for (const auto& [name, value] : variables_) ::unsetenv(name.c_str());
  }

 private:
  Variables variables_;
};

TEST(ProcessGroup, OneProcessIsAloneAndNeverWaits) {
  const ProcessGroup alone;
  EXPECT_TRUE(alone.leads());
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.share(7).begin, 0u);
  EXPECT_EQ(alone.share(7).end, 7u);
  EXPECT_TRUE(alone.any(true));
  EXPECT_FALSE(alone.any(false));
  alone.barrier();
  EXPECT_EQ(alone.gather(torch::ones({2})).size(), 1u);
}

TEST(ProcessGroup, GathersInOrderOfRankAndAgrees) {
  on_ranks(3, free_port(), [](const ProcessGroup& group) {
    const int rank = group.rank();
    const auto all = group.gather(torch::full({rank}, double(rank), torch::kDouble));
    ASSERT_EQ(all.size(), 3u);
    for (int64_t r = 0; r < 3; ++r) {
      EXPECT_TRUE(torch::equal(all[size_t(r)], torch::full({r}, double(r), torch::kDouble)));
    }
    EXPECT_EQ(group.gather(torch::empty({0}))[2].size(0), 0);
    EXPECT_TRUE(group.any(rank == 1));
    EXPECT_FALSE(group.any(false));
    const auto share = group.share(8);
    const std::array<size_t, 4> borders = {0, 2, 5, 8};
    EXPECT_EQ(share.begin, borders[size_t(rank)]);
    EXPECT_EQ(share.end, borders[size_t(rank) + 1]);
    group.check_equal("seeds", "1", "");
    EXPECT_TRUE(refused([&] { group.check_equal("seeds", rank == 2 ? "2" : "1", ""); },
                        "rank 0 and rank 2 have different seeds"));
    group.barrier();
  });
}

TEST(ProcessGroup, SaysThatAnotherHasGone) {
  on_ranks(2, uint16_t(free_port() + 1), [](const ProcessGroup& group) {
    group.barrier();
    if (group.rank() == 1) return;
    EXPECT_TRUE(refused([&] { group.barrier(); }, "another of the 2 processes has gone"));
  });
}

TEST(ProcessGroup, WaitsNoLongerThanTheTimeout) {
  std::promise<void> given_up;
  const auto body = [&](const ProcessGroup& group) {
    group.barrier();
    if (group.rank() == 1) return given_up.get_future().wait();
    EXPECT_TRUE(refused([&] { group.barrier(); }, "does not answer"));
    given_up.set_value();
  };
  on_ranks(2, free_port(), body, std::chrono::seconds(2));
}

TEST(ProcessGroup, ReadsWhatLaunchersSet) {
  EXPECT_EQ(group_settings_from_environment().size, 1);
  {
    const Launched one(Variables{{"WORLD_SIZE", "1"}});
    EXPECT_EQ(group_settings_from_environment().size, 1);
  }
  const Launched two({{"WORLD_SIZE", "4"},
                      {"RANK", "2"},
                      {"MASTER_ADDR", "node0"},
                      {"MASTER_PORT", "29500"},
                      {"LOCAL_WORLD_SIZE", "2"}});
  const GroupSettings settings = group_settings_from_environment();
  EXPECT_EQ(settings.rank, 2);
  EXPECT_EQ(settings.size, 4);
  EXPECT_EQ(settings.local_size, 2);
  EXPECT_EQ(settings.address, "node0");
  EXPECT_EQ(settings.port, 29500);
  EXPECT_TRUE(settings.rank_0_serves);
  {
    const Launched torchrun(
        {{"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"TORCHELASTIC_RESTART_COUNT", "1"}});
    EXPECT_FALSE(group_settings_from_environment().rank_0_serves);
    EXPECT_EQ(group_settings_from_environment().prefix, "/worker/attempt_1");
  }
  for (const char* bad : {"4", "-1", "x", ""}) {
    const Launched wrong(Variables{{"RANK", bad}});
    EXPECT_TRUE(refused([] { group_settings_from_environment(); }, "RANK='"));
  }
}

}  // namespace
}  // namespace podium::train
