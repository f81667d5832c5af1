#include "podium/serve/recent_requests.h"

#include <gtest/gtest.h>

namespace podium::serve {
namespace {

using std::chrono::hours;

TEST(RecentRequests, AreKeptForAsLongAsTheyMay) {
  RecentRequests some{hours(48)}, all;
  const serving::Clock::time_point start{hours(1000)};
  for (int day = 0; day < 5; ++day) {
    RecentRequest request{.request = {}, .came = start + hours(24 * day)};
    request.request.user = day % 2 == 0 ? "even" : "odd";
    some.add(request);
    all.add(request);
  }
  const auto now = start + hours(96);
  EXPECT_EQ(some.newest(100, now).size(), 3u);
  EXPECT_EQ(some.newest(2, now).back().request.user, "even");
  some.forget("even");
  EXPECT_EQ(some.newest(100, now).size(), 1u);
  EXPECT_TRUE(some.newest(100, now + hours(48)).empty());
  EXPECT_EQ(all.newest(100, now + hours(10000)).size(), 5u);
}

}  // namespace
}  // namespace podium::serve
