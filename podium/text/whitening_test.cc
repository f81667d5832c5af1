#include "podium/text/whitening.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/kernels/kernels.h"
#include "podium/text/encoder.h"
#include "podium/text/test_bert.h"
#include "podium/text/test_vectors.h"

namespace podium::text {
namespace {

constexpr size_t kDim = 6;

// Text "17" is the 17th of many vectors in a cone: mostly one direction, then a strong one, then
// four weak ones. "" is a text without a word.
class ConeEncoder : public TextEncoder {
 public:
  size_t dim() const override { return kDim; }
  void encode(std::string_view text, std::span<float> vector) const override {
    std::ranges::fill(vector, 0.0F);
    if (text.empty()) return;
    Rng rng = Rng(7).fork(text);
    for (size_t i = 0; i < kDim; ++i) {
      const double size = i == 1 ? 0.3 : 0.05;
      vector[i] = float((i == 0 ? 1 : 0) + size * (rng.uniform() - 0.5));
    }
    const float length = std::sqrt(kernels::dot(vector.data(), vector.data(), kDim));
    for (float& value : vector) value /= length;
  }
  void save(const fs::path& /*dir*/) const override {}
};

std::string numbered(size_t i) { return i == 0 ? "" : std::to_string(i); }

WhitenedEncoder whitened(size_t n, double strength) {
  return {std::make_unique<ConeEncoder>(), encode_texts(ConeEncoder(), n, numbered, 1), strength};
}

// The mean cosine of two texts' vectors.
double mean_cosine(const TextEncoder& encoder, size_t n) {
  const auto vectors = encode_texts(encoder, n, numbered, 1);
  double sum = 0, pairs = 0;
  for (size_t i = 1; i < n; ++i) {
    for (size_t j = 1; j < i; ++j, ++pairs) {
      sum += double(kernels::dot(&vectors[i * kDim], &vectors[j * kDim], kDim));
    }
  }
  return sum / pairs;
}

TEST(Whitening, NoLongerDoAllTextsLookAlike) {
  constexpr size_t kMany = 400;
  EXPECT_GT(mean_cosine(ConeEncoder(), kMany), 0.95);
  const WhitenedEncoder encoder = whitened(kMany, 1);
  EXPECT_NEAR(mean_cosine(encoder, kMany), 0, 0.02);
  // Every direction tells some, none most (of the weakest too little is known).
  const auto vectors = encode_texts(encoder, kMany, numbered, 1);
  for (size_t d = 0; d < kDim; ++d) {
    double squares = 0;
    for (size_t i = 1; i < kMany; ++i) squares += std::pow(vectors[i * kDim + d], 2);
    const double share = squares / (kMany - 1) * kDim;
    EXPECT_GT(share, 0.4) << d;
    EXPECT_LT(share, 1.6) << d;
  }
}

TEST(Whitening, OneTextOrAllGiveTheSameBits) {
  const WhitenedEncoder encoder = whitened(60, 0.7);
  const auto one = encode_texts(encoder, 60, numbered, 1);
  EXPECT_EQ(one, encode_texts(encoder, 60, numbered, 3));
  for (size_t i = 0; i < 60; ++i) {
    const auto alone = vector_of(encoder, numbered(i));
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), one.begin() + std::ptrdiff_t(i * kDim)));
    EXPECT_NEAR(kernels::dot(alone.data(), alone.data(), kDim), i == 0 ? 0 : 1, 1e-5);
  }
}

// More texts than the tiny model has dimensions; every thirtieth has no word.
constexpr size_t kWorded = 60;
std::string words(size_t i) {
  const std::vector<std::string> all = {"red", "nail", "nails", "polish", "hair"};
  std::string text;
  Rng rng = Rng(3).fork(i);
  for (size_t w = 0; w < i % 30; ++w) text += all[rng.below(all.size())] + " ";
  return text;
}

TEST(Whitening, IsKeptBesideItsModel) {
  const fs::path model = scratch_dir("whiten-model"), cache = scratch_dir("whiten-cache");
  write_tiny_bert(model);
  const EncoderOptions options{.model = model, .whiten = 1, .lsa = {}};
  const auto [encoder, fitted] = encode_catalogue(kWorded, words, options, 1, 1, cache);
  const auto vectors = encode_texts(*encoder, kWorded, words, 1, cache);
  EXPECT_EQ(vectors, fitted);
  EXPECT_EQ(vectors, encode_texts(*encoder, kWorded, words, 1)) << "a cache changes nothing";
  const auto plain =
      fit_text_encoder(kWorded, words, {.model = model, .whiten = 0, .lsa = {}}, 1, 1);
  const auto as_they_are = encode_texts(*plain, kWorded, words, 1, cache);
  EXPECT_NE(vectors, as_they_are);
  const auto few = encode_catalogue(20, words, options, 1, 1).encoder;
  EXPECT_EQ(encode_texts(*few, kWorded, words, 1), as_they_are) << "20 texts, 24 dimensions";
  const fs::path dir = scratch_dir("whiten-saved"), copy = scratch_dir("whiten-copied");
  encoder->save(dir);
  copy_text_encoder(dir, copy);
  EXPECT_EQ(vectors, encode_texts(*load_text_encoder(copy), kWorded, words, 2));
  // What is damaged, or another encoder's, is refused.
  const fs::path file = copy / kTextEncoderFolder / "whitening.safetensors";
  const std::string bytes = read_file(file);
  write_file_atomic(file, bytes.substr(0, bytes.size() - 4));
  EXPECT_THROW(load_text_encoder(copy), Error);
  artifact::SafetensorsWriter writer;
  const std::vector<float> centre(3), turn(9);
  writer.add<float>("centre", centre);
  writer.add<float>("turn", turn, {3, 3});
  writer.set_metadata("podium_whitening", "1");
  writer.write(file);
  EXPECT_THROW(load_text_encoder(copy), Error);
}

}  // namespace
}  // namespace podium::text
