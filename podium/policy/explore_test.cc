// Exploration: propensities are the frequencies of a simulation.
#include "podium/policy/explore.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "podium/policy/apply.h"
#include "podium/policy/test_slate.h"

namespace podium::policy {
namespace {

using List = std::vector<size_t>;

// Five items; brands x x y y z, at most one of each among the first two.
TestSlate five() {
  TestSlate slate;
  const char* const names[] = {"x", "x", "y", "y", "z"};
  for (int i = 0; i < 5; ++i) slate.add(std::string(1, char('a' + i)), {{"brand", text(names[i])}});
  return slate;
}
const std::string kOneBrand =
    "[[cap]]\nname = 'brand'\nfield = 'brand'\nat_most = 1\nfirst = 2\n"
    "[[pin]]\nname = 'pin'\nitem = 'e'\nplace = 3\n";

// How often each list came, and the product of its propensities.
struct Simulated {
  std::map<List, int> times;
  std::map<List, double> chance;
};

Simulated simulate(const Rules& rules, RulesContext context, int requests) {
  const TestSlate slate = five();
  Simulated all;
  for (int request = 0; request < requests; ++request) {
    context.seed = uint64_t(request);
    context.k = 4;
    List list;
    double chance = 1;
    for (const PlacedItem& placed : apply(rules, slate.items(), slate, context).placed) {
      list.push_back(placed.index);
      chance *= placed.propensity;
    }
    ++all.times[list];
    const auto [known, fresh] = all.chance.try_emplace(list, chance);
    if (!fresh) {
      EXPECT_DOUBLE_EQ(known->second, chance);
    }
  }
  return all;
}

void expect_frequencies(const Simulated& all, int requests) {
  double sum = 0;
  for (const auto& [list, chance] : all.chance) {
    const double share = double(all.times.at(list)) / requests;
    EXPECT_NEAR(share, chance, 5 * std::sqrt(chance / requests));
    sum += chance;
  }
  EXPECT_NEAR(sum, 1, 0.01);
  EXPECT_GT(all.times.size(), 3U);
}

TEST(EpsilonGreedy, PropensitiesAreFrequencies) {
  const int requests = 20'000;
  for (const char* const more : {"", "window = 2\n", "from = 2\n"}) {
    const Rules rules = Rules::parse(
        kOneBrand + "[explore]\nmethod = 'epsilon-greedy'\nepsilon = 0.4\n" + more, "r.toml");
    expect_frequencies(simulate(rules, {}, requests), requests);
  }
}

TEST(EpsilonGreedy, WithoutEpsilonNothingIsLeftToChance) {
  const Rules rules = Rules::parse("[explore]\nmethod = 'epsilon-greedy'\nepsilon = 0\n", "r.toml");
  EXPECT_EQ(simulate(rules, {}, 50).chance, (std::map<List, double>{{{0, 1, 2, 3}, 1}}));
}

TEST(Thompson, PropensitiesAreFrequenciesOnAverage) {
  const Rules rules = Rules::parse("[explore]\nmethod = 'thompson'\ndraws = 400\n", "r.toml");
  const TestSlate slate = five();
  const std::vector<BetaCounts> counts = {{2, 8}, {3, 7}, {5, 5}, {1, 1}, {40, 60}};
  std::map<size_t, double> times, chance;  // of the first place
  const int requests = 1500;
  for (int request = 0; request < requests; ++request) {
    RulesContext context;
    context.seed = uint64_t(request);
    context.counts = counts;
    const Outcome outcome = apply(rules, slate.items(), slate, context);
    ++times[outcome.placed[0].index];
    chance[outcome.placed[0].index] += outcome.placed[0].propensity;
    EXPECT_GE(outcome.placed[0].propensity, 1.0 / 400);
  }
  for (const auto& [item, count] : times) {
    EXPECT_NEAR(chance[item] / count, count / requests, 0.05) << item;
  }
  EXPECT_GT(times[2], times[0]);
}

TEST(Thompson, DrawsHaveTheBetasMoments) {
  Rng rng(4);
  for (const auto& [a, b] : {std::pair{0.3, 0.7}, std::pair{2.0, 5.0}, std::pair{40.0, 10.0}}) {
    double mean = 0, square = 0;
    const int n = 20'000;
    for (int i = 0; i < n; ++i) {
      const double x = beta_draw({a, b}, rng);
      ASSERT_TRUE(x >= 0 && x <= 1);
      mean += x / n, square += x * x / n;
    }
    EXPECT_NEAR(mean, a / (a + b), 0.01);
    EXPECT_NEAR(square - mean * mean, a * b / ((a + b) * (a + b) * (a + b + 1)), 0.005);
  }
}

TEST(LinUcb, BoundsByHand) {
  // A = [[2, 1], [1, 2]], its inverse [[2, -1], [-1, 2]] / 3; b = (3, 0), theta = (2, -1).
  const std::vector<RidgeState> shared = {{{2, 1, 1, 2}, {3, 0}}};
  const std::vector<double> x = {1, 0, 0, 1, 1, 1};
  const auto bounds = upper_bounds({2, x, shared}, 3, 0.5);
  ASSERT_EQ(bounds.size(), 3U);
  EXPECT_NEAR(bounds[0], 2 + 0.5 * std::sqrt(2.0 / 3), 1e-12);
  EXPECT_NEAR(bounds[1], -1 + 0.5 * std::sqrt(2.0 / 3), 1e-12);
  EXPECT_NEAR(bounds[2], 1 + 0.5 * std::sqrt(2.0 / 3), 1e-12);
  const std::vector<RidgeState> own(3, shared[0]);
  EXPECT_EQ(upper_bounds({2, x, own}, 3, 0.5), bounds);

  const std::vector<RidgeState> indefinite = {{{1, 2, 2, 1}, {0, 0}}}, small = {{{1}, {0}}};
  EXPECT_TRUE(upper_bounds({2, x, indefinite}, 3, 1).empty());
  EXPECT_TRUE(upper_bounds({2, x, small}, 3, 1).empty());
  EXPECT_TRUE(upper_bounds({2, x, own}, 2, 1).empty());
  EXPECT_TRUE(upper_bounds({}, 2, 1).empty());
}

TEST(LinUcb, OrdersByItsBoundsAndEpsilonIsExact) {
  const std::vector<RidgeState> shared = {{{1}, {1}}};
  const std::vector<double> x = {0.1, 0.5, 0.3, 0.2, 0.4};
  RulesContext context;
  context.linear = {1, x, shared};
  const Rules sure = Rules::parse("[explore]\nmethod = 'linucb'\nalpha = 0.5\n", "r.toml");
  EXPECT_EQ(simulate(sure, context, 20).chance, (std::map<List, double>{{{1, 4, 2, 3}, 1}}));
  const Rules drawn =
      Rules::parse("[explore]\nmethod = 'linucb'\nepsilon = 0.3\nwindow = 2\n", "r.toml");
  const int requests = 10'000;
  expect_frequencies(simulate(drawn, context, requests), requests);
}

}  // namespace
}  // namespace podium::policy
