#include "podium/text/encoder.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/kernels/kernels.h"
#include "podium/text/test_vectors.h"

namespace podium::text {
namespace {

constexpr size_t kTexts = 7;

std::string text(size_t i) {
  static const std::array<std::string, kTexts> texts = {"red nail polish shine",
                                                        "red nail polish matte",
                                                        "nail polish red",
                                                        "hair shampoo dry",
                                                        "hair shampoo oily",
                                                        "dry hair shampoo",
                                                        ""};
  return texts[i];
}

std::unique_ptr<TextEncoder> fitted(int threads = 1) {
  return fit_text_encoder(kTexts, text, {.lsa = {.dim = 8}}, 1, threads);
}

float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return kernels::dot(a.data(), b.data(), a.size());
}

TEST(TextEncoder, LikeTextsLieClose) {
  const auto encoder = fitted();
  const auto of = [&](size_t i) { return vector_of(*encoder, text(i)); };
  EXPECT_GT(cosine(of(0), of(1)), 0.6F);
  EXPECT_LT(cosine(of(0), of(3)), 0.2F);
  EXPECT_NEAR(cosine(of(2), of(2)), 1.0F, 1e-4F);
  EXPECT_EQ(cosine(of(6), of(6)), 0.0F);  // no text: no direction
}

TEST(TextEncoder, NewTextLiesBesideItsLike) {
  const auto encoder = fitted();
  const auto fresh = vector_of(*encoder, "Shampoo for DRY hair, unheard-of");
  EXPECT_NEAR(cosine(fresh, fresh), 1.0F, 1e-4F);
  EXPECT_GT(cosine(fresh, vector_of(*encoder, text(5))), 0.8F);
  EXPECT_LT(cosine(fresh, vector_of(*encoder, text(0))), 0.2F);
  const auto unknown = vector_of(*encoder, "nothing it ever read");
  EXPECT_EQ(cosine(unknown, unknown), 0.0F);
}

TEST(TextEncoder, ThreadsDoNotMatter) {
  const auto one = fitted(1), three = fitted(3);
  EXPECT_EQ(encode_texts(*one, kTexts, text, 1), encode_texts(*three, kTexts, text, 3));
}

TEST(TextEncoder, LoadedItEncodesLikeInTraining) {
  const fs::path dir = scratch("text-encoder");
  const auto encoder = fitted();
  encoder->save(dir);
  const auto loaded = load_text_encoder(dir);
  ASSERT_EQ(loaded->dim(), 8u);
  EXPECT_EQ(encode_texts(*loaded, kTexts, text, 1), encode_texts(*encoder, kTexts, text, 1));
  EXPECT_EQ(vector_of(*loaded, "new red shampoo"), vector_of(*encoder, "new red shampoo"));
}

TEST(TextEncoder, ACatalogueWithoutSharedWordsIsEncodedAsZeros) {
  const fs::path dir = scratch("text-encoder-empty");
  const auto unlike = [](size_t i) { return "word" + std::to_string(i); };
  fit_text_encoder(5, unlike, {.lsa = {.dim = 8}}, 1, 1)->save(dir);
  const auto vector = vector_of(*load_text_encoder(dir), "word3");
  EXPECT_EQ(vector, std::vector<float>(8));
}

TEST(TextEncoder, DamagedFilesAreRefused) {
  const fs::path dir = scratch("text-encoder-damaged");
  EXPECT_THROW(load_text_encoder(dir), Error);  // none
  const auto write = [&](std::vector<uint32_t> bucket, std::vector<float> idf, float value) {
    const std::vector<float> basis(bucket.size() * 2, value);
    artifact::SafetensorsWriter writer;
    writer.add<uint32_t>("bucket", bucket);
    writer.add<float>("idf", idf);
    writer.add<float>("basis", basis, {int64_t(bucket.size()), 2});
    for (const auto& [key, number] : {std::pair{"podium_text_encoder", "lsa 1"},
                                      {"dim", "4"},
                                      {"hash_bits", "8"},
                                      {"max_ngram", "2"}}) {
      writer.set_metadata(key, number);
    }
    writer.write(dir / kTextEncoderFile);
  };
  write({1, 2}, {1, 1}, 0.5F);
  EXPECT_NO_THROW(load_text_encoder(dir));
  write({2, 1}, {1, 1}, 0.5F);  // not ascending
  EXPECT_THROW(load_text_encoder(dir), Error);
  write({1, 256}, {1, 1}, 0.5F);  // beyond the hash
  EXPECT_THROW(load_text_encoder(dir), Error);
  write({1, 2}, {1}, 0.5F);
  EXPECT_THROW(load_text_encoder(dir), Error);
  write({1, 2}, {1, 1}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(load_text_encoder(dir), Error);
}

}  // namespace
}  // namespace podium::text
