#include "podium/text/encoder.h"

#include "podium/base/parallel.h"
#include "podium/base/progress.h"

namespace podium::text {

std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const LsaOptions& options, uint64_t seed,
                                              int threads) {
  return std::make_unique<LsaEncoder>(LsaEncoder::fit(n, text_of, options, seed, threads));
}

std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir) {
  return std::make_unique<LsaEncoder>(LsaEncoder::load(dir));
}

std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads) {
  const size_t dim = encoder.dim();
  std::vector<float> vectors(n * dim);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    stop_if_interrupted();
    for (size_t i = begin; i < end; ++i) {
      encoder.encode(text_of(i), std::span(vectors).subspan(i * dim, dim));
    }
  });
  return vectors;
}

}  // namespace podium::text
