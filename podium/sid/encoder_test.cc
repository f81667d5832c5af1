#include "podium/sid/encoder.h"

#include <gtest/gtest.h>

#include <limits>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/sid/codebook.h"
#include "podium/sid/place.h"

namespace podium::sid {
namespace {

// Two inputs, two hidden numbers, one output: max(0, x + y) - 2 max(0, x - y) + 1.
Encoder small_encoder() { return {{{2, {1, 1, 1, -1}, {0, 0}}, {2, {1, -2}, {1}}}}; }

TEST(Encoder, ComputesItsLayers) {
  const std::vector<float> rows = {3, 1, -1, -4, 0, 0};
  EXPECT_EQ(small_encoder().apply(rows, 2), (std::vector<float>{1, -5, 1}));
  EXPECT_EQ(Encoder().apply(rows, 1), rows);
}

SidModel encoded_model() {
  SidModel model;
  model.encoder = small_encoder();
  model.dim = 1;
  model.table = {2, 2, {0, 0, 0, 1}};
  model.centroids = {1, -5, 0, 0};
  return model;
}

TEST(Encoder, NewItemsArePlacedInItsSpace) {
  const SidModel model = encoded_model();
  EXPECT_EQ(place(model, std::vector<float>{-1, -4}, TakenSids(model.table))[0], 1);
  EXPECT_EQ(place(model, std::vector<float>{3, 1}, TakenSids(model.table))[0], 0);
}

TEST(Encoder, IsSavedWithTheSemanticIdsAndCheckedWhenRead) {
  const fs::path dir = scratch_dir("encoder");
  SidModel model = encoded_model();
  save_sid(dir, model);
  const SidModel read = load_sid(dir);
  ASSERT_EQ(read.encoder.layers.size(), 2u);
  EXPECT_EQ(read.encoder.layers[0].weight, model.encoder.layers[0].weight);
  EXPECT_EQ(read.encoder.layers[1].bias, model.encoder.layers[1].bias);
  EXPECT_EQ(read.vector_dim(), 2u);

  const auto refused = [&](const SidModel& damaged) {
    save_sid(dir, damaged);
    EXPECT_THROW(load_sid(dir), Error);
  };
  SidModel other = model;
  other.encoder.layers.pop_back();  // gives two numbers, the codebooks have one
  refused(other);
  other = model;
  other.encoder.layers[1] = {3, {1, 1, 1}, {0}};  // reads three, is given two
  refused(other);
  other = model;
  other.encoder.layers[0].weight[2] = std::numeric_limits<float>::quiet_NaN();
  refused(other);
}

}  // namespace
}  // namespace podium::sid
