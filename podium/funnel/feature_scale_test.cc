#include "podium/funnel/feature_scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/error.h"

namespace podium::funnel {
namespace {

// 0 .. 64; a half of zeros, then 1 .. 32; sometimes absent.
std::vector<float> training_rows() {
  std::vector<float> rows;
  for (int i = 0; i <= 64; ++i) {
    rows.push_back(float(i));
    rows.push_back(float(std::max(0, i - 32)));
    rows.push_back(i % 4 == 0 ? NAN : 5);
  }
  return rows;
}

TEST(FeatureScale, TellsThePlaceAmongTheTrainingCandidates) {
  const FeatureScale scale = FeatureScale::fit(training_rows(), 3);
  ASSERT_EQ(scale.width(), 3u);
  ASSERT_EQ(scale.numbers(), 4u) << "three places, and whether the last is absent";
  const auto of = [&](float a, float b, float c) { return scale.of(std::vector<float>{a, b, c}); };
  EXPECT_EQ(of(0, 0, 5), (std::vector<float>{-1, -0.5F, 0, 0})) << "zeros are the lower half";
  EXPECT_EQ(of(64, 32, NAN), (std::vector<float>{1, 1, 0, 1}));
  EXPECT_EQ(of(1000, -1000, 5)[0], 1) << "what training never saw is at the end";
  EXPECT_EQ(of(1000, -1000, 5)[1], -1);
  EXPECT_FLOAT_EQ(of(33, 0, 5)[0], 33.0F / 32 - 1);
  EXPECT_FLOAT_EQ(of(33.5F, 0, 5)[0], 33.5F / 32 - 1) << "in proportion";
  EXPECT_EQ(of(INFINITY, NAN, 5)[0], 0);
}

TEST(FeatureScale, IsKeptInJson) {
  const FeatureScale scale = FeatureScale::fit(training_rows(), 3);
  const Json json = scale.to_json();
  const FeatureScale same = FeatureScale::from_json(Json::parse(json.dump()));
  const std::vector<float> row = {12.3F, 4.5F, NAN};
  EXPECT_EQ(same.of(row), scale.of(row));
  EXPECT_EQ(FeatureScale::from_json(FeatureScale().to_json()).numbers(), 0u);
  Json falling = json, beyond = json, missing = json;
  falling["knots"][0][3] = -7;
  beyond["optional"] = {3};
  missing.erase("knots");
  for (const Json& bad : {falling, beyond, missing, Json(3)}) {
    EXPECT_THROW(FeatureScale::from_json(bad), Error) << bad.dump().substr(0, 80);
  }
}

}  // namespace
}  // namespace podium::funnel
