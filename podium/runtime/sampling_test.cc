#include "podium/runtime/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "podium/base/error.h"

namespace podium::runtime {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Pick picked(const std::vector<float>& logits, double temperature) {
  Rng rng(3);
  std::vector<float> scratch;
  return pick(logits, temperature, rng, scratch);
}

TEST(Sampling, GreedyTakesTheFirstOfTheLargest) {
  const Pick best = picked({0, 2, 1, 2}, 0);
  EXPECT_EQ(best.index, 1u);
  EXPECT_NEAR(best.logprob, 2 - std::log(1 + std::exp(1) + 2 * std::exp(2)), 1e-6);
  EXPECT_EQ(picked({0, 2, 1, 2}, 1e-300).index, 1u);
}

TEST(Sampling, FrequenciesAreThoseOfTheTemperature) {
  Rng rng(3);
  std::vector<float> scratch;
  const std::vector<float> logits = {0, 1};
  int second = 0;
  for (int i = 0; i < 20000; ++i) second += int(pick(logits, 0.5, rng, scratch).index);
  EXPECT_NEAR(second / 20000.0, 1 / (1 + std::exp(-2.0)), 0.01);
}

// Wherever it stands, and however many there are: a register's worth, its rest, more than a block.
TEST(Sampling, NoChoiceIsMadeAmongWhatIsNoNumber) {
  for (const size_t size : {1, 3, 16, 33, 300}) {
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      for (const float bad : {kNan, kInfinity}) {
        std::vector<float> logits(size, 1.0F);
        logits[at] = bad;
        for (const double temperature : {0.0, 1.0}) {
          EXPECT_THROW(picked(logits, temperature), Error) << size << " " << at;
        }
        EXPECT_THROW(partition(logits), Error);
      }
    }
    EXPECT_THROW(picked(std::vector<float>(size, kNan), 0), Error);
    EXPECT_THROW(picked(std::vector<float>(size, -kInfinity), 1), Error);
  }
}

}  // namespace
}  // namespace podium::runtime
