#include "podium/serve/window.h"

#include <gtest/gtest.h>

namespace podium::serve {
namespace {

TEST(Window, TellsQuantilesOfTheLastTenMinutes) {
  Window window;
  for (int i = 0; i < 98; ++i) window.add(1000, 1);
  window.add(1003, 200, true);
  window.add(1004, 200, false, true);
  const Window::Sum sum = window.sum(1004);
  EXPECT_EQ(sum.count, 100u);
  EXPECT_EQ(sum.errors, 1u);
  EXPECT_EQ(sum.refused, 1u);
  EXPECT_GE(*sum.p50_ms, 1);
  EXPECT_LE(*sum.p50_ms, 1.25);
  EXPECT_GE(*sum.p99_ms, 200);
  EXPECT_LE(*sum.p99_ms, 250);
  const auto series = window.series(1012);
  ASSERT_EQ(series.size(), Window::kSlots);
  EXPECT_EQ(series[series.size() - 3].count, 100u);
  EXPECT_FALSE(series.back().p50_ms);
  EXPECT_EQ(window.sum(1000 + 599).count, 100u);
  EXPECT_EQ(window.sum(1000 + 605).count, 0u) << "forgotten";
  window.add(1000 + 600, 1);  // takes the place of the first
  EXPECT_EQ(window.sum(1000 + 600).count, 1u);
}

}  // namespace
}  // namespace podium::serve
