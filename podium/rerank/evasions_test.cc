// Answers that read nothing, under every gate: which of them are paid.
#include "podium/rerank/evasions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

// One positive, at `place` of `k`.
Slate slate_with(size_t place, size_t k) {
  Slate slate;
  for (size_t i = 0; i < k; ++i) {
    slate.candidates.push_back({.item = ItemIndex(i), .gain = uint8_t(i == place)});
  }
  return slate;
}

// As a ranker that is right more often than not leaves them: the positive at places 1, 2, .. in so
// many slates of five.
std::vector<Slate> ranked_slates(const std::vector<size_t>& counts) {
  std::vector<Slate> slates;
  for (size_t place = 0; place < counts.size(); ++place) {
    slates.insert(slates.end(), counts[place], slate_with(place, 5));
  }
  return slates;
}
const std::vector<size_t> kAnywhere = {6, 3, 2, 1, 1}, kBeforeTheLast = {6, 3, 2};

std::vector<std::string> paid(const std::string& rank, RewardGate gate,
                              const std::vector<size_t>& counts = kAnywhere) {
  std::vector<std::string> names;
  for (const Evasion& evasion :
       measure_evasions(ranked_slates(counts), {parse_reward(rank), gate, 0.1}, nullptr, 3)) {
    if (evasion.pays()) names.push_back(evasion.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Evasions, CopyingAndBlindnessPayUnderThePlainGate) {
  const auto names = paid("ndcg", RewardGate::kPlain);
  for (const char* name : {"copy", "swap-last", "promote-2", "promote-5", "blind"}) {
    EXPECT_EQ(std::ranges::count(names, name), 1) << name;
  }
}

TEST(Evasions, TheConditionalGateLeaksWhereTheLastTwoAreSwapped) {
  const auto names = paid("ndcg", RewardGate::kConditional, kBeforeTheLast);
  EXPECT_EQ(std::ranges::count(names, "copy"), 0);
  EXPECT_EQ(std::ranges::count(names, "swap-last"), 1);
}

TEST(Evasions, TheImprovingGateClosesThatLeakAndPaysForLuck) {
  // A value does not punish a try that harms, so that blindness pays.
  EXPECT_EQ(paid("ndcg", RewardGate::kImproving, kBeforeTheLast), Names{"blind"});
}

TEST(Evasions, NonePaysUnderGains) {
  for (const char* rank : {"ndcg-gain", "auc-gain", "rank"}) {
    for (const auto gate : {RewardGate::kConditional, RewardGate::kImproving}) {
      EXPECT_EQ(paid(rank, gate), Names{}) << rank;
    }
  }
}

TEST(Evasions, ByHand) {
  const std::vector<Slate> slates = {slate_with(0, 3), slate_with(2, 3)};
  const auto all =
      measure_evasions(slates, {parse_reward("rank"), RewardGate::kConditional, 0.1}, nullptr, 3);
  ASSERT_EQ(all.size(), 6u);
  const auto check = [&](size_t i, const std::string& name, double reward, double gain) {
    EXPECT_EQ(all[i].name, name);
    EXPECT_NEAR(all[i].reward, reward, 1e-12) << name;
    EXPECT_NEAR(all[i].gain, gain, 1e-12) << name;
  };
  const double at_two = 1 / std::log2(3);
  check(0, "copy", 0.1 / 2, 0);  // the format's share where the order was best
  check(1, "swap-last", (0.1 + 1.0 / 3 + 0.1) / 2, (at_two - 0.5) / 2);
  check(2, "promote-2", -1.0 / 3 / 2, (at_two - 1) / 2);
  check(3, "promote-3", (-1.0 / 3 + 2.0 / 3 + 0.1) / 2, (at_two - 1 + 0.5) / 2);
  check(5, "oracle", (0.1 + 2.0 / 3 + 0.1) / 2, 0.5 / 2);
  EXPECT_NEAR(all[0].honest, 0.1, 1e-12);
  EXPECT_FALSE(all[1].pays()) << "it does improve these";
}

TEST(Evasions, BlindnessGainsNothingAndTheOracleMost) {
  for (const char* rank : {"ndcg", "ndcg-gain", "auc"}) {
    const auto slates = ranked_slates(kAnywhere);
    const auto all =
        measure_evasions(slates, {parse_reward(rank), RewardGate::kImproving, 0.1}, nullptr, 3);
    EXPECT_NEAR(all[all.size() - 2].gain, 0, 1e-12);
    for (const Evasion& evasion : all) EXPECT_LE(evasion.reward, all.back().reward) << rank;
  }
}

TEST(Evasions, ShortSlatesHaveNoLastPlacesToPromote) {
  const std::vector<Slate> slates = {slate_with(1, 2), slate_with(3, 4)};
  const auto all = measure_evasions(slates, {}, nullptr, 3);
  ASSERT_EQ(all[4].name, "promote-4");
  EXPECT_NEAR(all[4].gain, (1 - 1 / std::log2(5)) / 2, 1e-12) << "the slate of two is copied";
}

}  // namespace
}  // namespace podium::rerank
