// Item text to dense vectors without a download: hashed word n-gram TF-IDF, then randomised SVD
// (Halko, Martinsson, Tropp 2011).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace podium::text {

struct EncoderOptions {
  int dim = 256;
  int hash_bits = 18;  // 2^18 feature buckets
  int max_ngram = 2;   // words and word pairs
  int power_iterations = 2;
  int oversample = 16;
  template <class V>
  void visit(V& v) {
    v("dim", dim, "dimensions of an item's text vector");
    v("hash_bits", hash_bits, "n-grams are hashed into 2^bits buckets");
    v("max_ngram", max_ngram, "longest word n-gram");
    v("power_iterations", power_iterations, "power iterations of the randomised SVD");
    v("oversample", oversample, "extra SVD dimensions, dropped at the end");
  }
};

// text_of(i) for i in [0, n). Returns row-major [n, dim], rows of unit length (zero where the item
// has no text). dim shrinks the vector's useful part, never its size: absent directions are 0.
std::vector<float> encode_texts(size_t n, const std::function<std::string(size_t)>& text_of,
                                const EncoderOptions& options, uint64_t seed, int threads);

}  // namespace podium::text
