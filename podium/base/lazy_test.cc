#include "podium/base/lazy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "podium/base/parallel.h"

namespace podium {
namespace {

TEST(Lazy, IsMadeOnceByWhoeverAsksFirst) {
  std::atomic<int> made{0};
  const Lazy<int> value([&] { return std::make_unique<int>(++made); });
  EXPECT_EQ(made, 0);
  parallel_for(4, 16, 1, [&](size_t, size_t) { EXPECT_EQ(value.get(), 1); });
  EXPECT_EQ(made, 1);
  EXPECT_EQ(Lazy<int>(7).get(), 7);
}

TEST(Lazy, AFailureIsTriedAgain) {
  int tries = 0;
  const Lazy<int> value([&] {
    if (++tries == 1) throw std::runtime_error("not yet");
    return std::make_unique<int>(tries);
  });
  EXPECT_THROW(value.get(), std::runtime_error);
  EXPECT_EQ(value.get(), 2);
}

}  // namespace
}  // namespace podium
