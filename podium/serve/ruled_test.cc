// Exploration that learns from the log: what it costs, and what it comes to.
#include "podium/serve/ruled.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "podium/base/rng.h"
#include "podium/policy/test_slate.h"
#include "podium/store/shown.h"

namespace podium::serve {
namespace {

constexpr size_t kItems = 8, kBest = 5;  // the sixth in the recommender's order
constexpr int kRequests = 2000, kLast = 500;

double rate_of(size_t item) { return item == kBest ? 0.4 : 0.1; }

struct Came {
  double regret = 0;  // a request of all, in chance of being taken
  double late = 0;    // of the last kLast
};

// One place, shown to a new user each time, who takes the item with its chance.
Came simulate(const std::string& toml, uint64_t seed) {
  const policy::Rules rules = policy::Rules::parse(toml, "rules.toml");
  policy::TestSlate slate;
  std::vector<std::string> ids;
  for (size_t i = 0; i < kItems; ++i) ids.push_back(fmt::format("item{}", i));
  for (const std::string& id : ids) slate.add(id);
  const std::vector<std::string_view> views(ids.begin(), ids.end());
  store::Shown shown(1'000'000);
  store::Offset offset = 0;
  Rng chance(seed);
  Came came;
  for (int request = 0; request < kRequests; ++request) {
    const auto counts = shown.of(views);
    const Learnt learnt = learnt_from(rules, counts);
    policy::RulesContext context;
    context.k = 1;
    context.seed = chance.next();
    context.counts = learnt.counts;
    context.linear = learnt.linear();
    const auto outcome = policy::apply(rules, slate.items(), slate, context);
    const size_t item = outcome.placed.at(0).index;
    const std::string user = fmt::format("u{}", request);
    shown.apply(++offset, store::Impression{.user = user, .time = request, .items = {ids[item]}});
    if (chance.uniform() < rate_of(item)) {
      shown.apply(++offset, store::Event{.user = user, .event = {ids[item], request + 1}});
    }
    const double lost = rate_of(kBest) - rate_of(item);
    came.regret += lost / kRequests;
    if (request >= kRequests - kLast) came.late += lost / kLast;
  }
  return came;
}

TEST(Learnt, ExplorationFindsTheBestItemAndStaysWithIt) {
  const double greedy = simulate("", 1).regret;
  EXPECT_NEAR(greedy, 0.3, 1e-9) << "the recommender's first, for ever";
  for (const char* const method : {"thompson'\nwindow = 8", "linucb'\nalpha = 1\nwindow = 8"}) {
    for (const uint64_t seed : {1, 2}) {
      const Came came = simulate(fmt::format("[explore]\nmethod = '{}\n", method), seed);
      EXPECT_LT(came.regret, 0.25 * greedy) << method << ", seed " << seed;
      EXPECT_LT(came.late, 0.1 * greedy) << method << ", seed " << seed;
    }
  }
}

TEST(Learnt, RulesThatDoNotExploreLearnNothing) {
  const std::vector<serving::ShownCounts> shown = {{10, 2}, {0, 0}};
  for (const char* const toml : {"", "[explore]\nmethod = 'epsilon-greedy'\nepsilon = 0.1\n"}) {
    const Learnt learnt = learnt_from(policy::Rules::parse(toml, "rules.toml"), shown);
    EXPECT_TRUE(learnt.counts.empty() && learnt.features.empty() && learnt.states.empty());
  }
  const auto linucb = policy::Rules::parse("[explore]\nmethod = 'linucb'\n", "rules.toml");
  EXPECT_EQ(learnt_from(linucb, {}).linear().dim, 0U) << "nothing is known: it says so";
  const auto states = learnt_from(linucb, shown).states;
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].a, std::vector<double>{11});
  EXPECT_EQ(states[0].b, std::vector<double>{2});
}

}  // namespace
}  // namespace podium::serve
