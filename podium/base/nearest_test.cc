#include "podium/base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace podium {
namespace {

TEST(Nearest, FindsTheSmallestDistance) {
  const std::vector<std::string_view> names = {"id", "user", "history", "candidates"};
  EXPECT_EQ(nearest("histroy", names), "history");
  EXPECT_EQ(nearest("candidate", names), "candidates");
  EXPECT_EQ(nearest("usr", names), "user");
  EXPECT_EQ(nearest("", names), "id");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace podium
