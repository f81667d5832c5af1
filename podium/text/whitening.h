// The vectors of a sentence encoder lie in a narrow cone, and a few directions tell most of them
// apart: all items of a shop look alike. Whitened over the catalogue they do not (Su et al.,
// 2103.15316; Mu and Viswanath, 1702.01417).
//
//   v -> L^(-strength / 2) U (v - m), of unit length
//
// m: the catalogue's mean; U, L: eigenvectors and eigenvalues of a S + (1 - a) trace(S) / dim, S
// its covariance, a = n / (n + dim): of fewer texts less is known, so less is changed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "podium/text/text_encoder.h"

namespace podium::text {

class WhitenedEncoder : public TextEncoder {
 public:
  // vectors: the catalogue's, as base makes them [n, dim], n above dim; those of zeros are left
  // out. strength in
  // (0, 1].
  WhitenedEncoder(std::unique_ptr<TextEncoder> base, std::span<const float> vectors,
                  double strength);
  // From what save() wrote; base: read from the same directory. nullptr: none was written there.
  static std::unique_ptr<TextEncoder> load(std::unique_ptr<TextEncoder>& base, const fs::path& dir);

  size_t dim() const override { return base_->dim(); }
  void encode(std::string_view text, std::span<float> vector) const override;
  void encode_all(std::span<const std::string> texts, std::span<float> vectors,
                  int threads) const override;
  // The cache holds the base's vectors.
  void encode_cached(std::span<const std::string> texts, std::span<float> vectors, int threads,
                     const fs::path& cache) const override;
  void save(const fs::path& dir) const override;

  // Of the base's vectors [n, dim], in place.
  void apply(std::span<float> vectors, int threads) const;

 private:
  explicit WhitenedEncoder(std::unique_ptr<TextEncoder> base) : base_(std::move(base)) {}

  std::unique_ptr<TextEncoder> base_;
  std::vector<float> centre_;  // [dim]
  std::vector<float> turn_;    // [dim, dim], a row for each of the new dimensions
};

}  // namespace podium::text
