#include "podium/text/encoder.h"

#include <gtest/gtest.h>

#include <array>

#include "podium/kernels/kernels.h"

namespace podium::text {
namespace {

std::string text(size_t i) {
  static const std::array<std::string, 7> texts = {"red nail polish shine",
                                                   "red nail polish matte",
                                                   "nail polish red",
                                                   "hair shampoo dry",
                                                   "hair shampoo oily",
                                                   "dry hair shampoo",
                                                   ""};
  return texts[i];
}

float cosine(const std::vector<float>& v, size_t i, size_t j) {
  return kernels::dot(&v[i * 8], &v[j * 8], 8);
}

TEST(Encoder, LikeTextsLieClose) {
  const auto v = encode_texts(7, text, {.dim = 8}, 1, 2);
  EXPECT_GT(cosine(v, 0, 1), 0.6F);
  EXPECT_LT(cosine(v, 0, 3), 0.2F);
  EXPECT_NEAR(cosine(v, 2, 2), 1.0F, 1e-4F);
  EXPECT_EQ(cosine(v, 6, 6), 0.0F);  // no text: no direction
}

TEST(Encoder, ThreadsDoNotMatter) {
  EXPECT_EQ(encode_texts(7, text, {.dim = 8}, 1, 1), encode_texts(7, text, {.dim = 8}, 1, 3));
}

}  // namespace
}  // namespace podium::text
