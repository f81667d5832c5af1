#include "podium/train/tune_likeness.h"

#include <gtest/gtest.h>

#include "podium/runtime/test_weights.h"

namespace podium::train {
namespace {

class TuneLikeness : public testing::Test {
 protected:
  TuneLikeness() : model_(for_slates(Qwen3(runtime::tiny_spec(300), 3), 6, 3, 3)) {}

  // Largest with -3 for the largest cosine and .5 for the ranker's score.
  double value() const {
    const SlateWeights own = slate_weights(model_->spec, model_->weights);
    const double nearest = own.likeness_bias[0].item<double>() + 3;
    const double ranker = own.scale[1].item<double>() - 0.5;
    return -nearest * nearest - ranker * ranker;
  }

  Qwen3 model_;
};

TEST_F(TuneLikeness, FindsWhatIsWorthMost) {
  const Json found = tune_likeness(*model_, [&] { return value(); });
  EXPECT_NEAR(value(), 0, 0.02);
  EXPECT_EQ(found["before"], -9.25);
  EXPECT_NEAR(found["weights"][0].get<double>(), -3, 0.125);
  EXPECT_NEAR(found["weights"][rerank::kLikeness + 1].get<double>(), 0.5, 0.125);
  EXPECT_EQ(found["weights"][rerank::kLikeness], 1) << "the upstream's order weighs as it did";
}

}  // namespace
}  // namespace podium::train
