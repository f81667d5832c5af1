// Latent semantic analysis, a text encoder that needs no download: hashed word n-gram TF-IDF, then
// a truncated singular value decomposition (truncated_svd.h). It keeps which n-grams it knows,
// their idf and the basis, so that new text is encoded exactly like the text it was fitted on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/text/text_encoder.h"

namespace podium::text {

inline constexpr int kMinHashBits = 8, kMaxHashBits = 24, kMaxTextDim = 4096, kMaxNgram = 8;

struct LsaOptions {
  int dim = 256;
  int hash_bits = 18;  // 2^18 feature buckets
  int max_ngram = 2;   // words and word pairs
  int power_iterations = 2;
  int oversample = 16;
  template <class V>
  void visit(V& v) {
    v("dim", dim, "dimensions of an item's text vector", between(1, kMaxTextDim));
    v("hash_bits", hash_bits, "n-grams are hashed into 2^bits buckets",
      between(kMinHashBits, kMaxHashBits));
    v("max_ngram", max_ngram, "longest word n-gram", between(1, kMaxNgram));
    v("power_iterations", power_iterations, "power iterations of the randomised SVD",
      between(0, 100));
    v("oversample", oversample, "extra SVD dimensions, dropped at the end", between(0, 4096));
  }
};

// Weight of an n-gram: (1 + log count) * idf, idf = log((n + 1) / (texts with it + 1)) + 1, of the
// n-grams that at least two texts share; a text's weights have unit length.
class LsaEncoder : public TextEncoder {
 public:
  static LsaEncoder fit(size_t n, const std::function<std::string(size_t)>& text_of,
                        const LsaOptions& options, uint64_t seed, int threads);
  static LsaEncoder load(const fs::path& dir);
  LsaEncoder(LsaEncoder&& other) noexcept;

  size_t dim() const override { return dim_; }
  void encode(std::string_view text, std::span<float> vector) const override;
  void save(const fs::path& dir) const override;

 private:
  LsaEncoder() = default;
  // The known n-grams of a text, as (row, weight), rows ascending.
  std::vector<std::pair<uint32_t, float>> weights(std::string_view text) const;

  size_t dim_ = 0;    // of a vector; the last dim_ - width_ are always 0
  size_t width_ = 0;  // of the basis
  int hash_bits_ = 0, max_ngram_ = 0;
  std::vector<uint32_t> bucket_;  // [known] hash buckets of the known n-grams, ascending
  std::vector<float> idf_;        // [known]
  std::vector<float> basis_;      // [known, width_]
};

}  // namespace podium::text
