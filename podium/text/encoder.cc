#include "podium/text/encoder.h"

#include <algorithm>

#include "podium/base/parallel.h"
#include "podium/text/bert.h"
#include "podium/text/vector_cache.h"

namespace podium::text {
namespace {

// The vectors of the texts that the cache has not yet, each once, into it.
void fill_cache(const TextEncoder& encoder, std::span<const std::string> texts, int threads,
                VectorCache& cache) {
  std::vector<std::string> missing;
  for (const std::string& text : texts) {
    if (cache.find(text).empty()) missing.push_back(text);
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  const size_t dim = encoder.dim();
  std::vector<float> vectors(missing.size() * dim);
  encoder.encode_all(missing, vectors, threads);
  for (size_t i = 0; i < missing.size(); ++i) {
    cache.put(missing[i], std::span(vectors).subspan(i * dim, dim));
  }
  cache.save();
}

}  // namespace

std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const EncoderOptions& options, uint64_t seed,
                                              int threads) {
  if (options.model != "lsa") return std::make_unique<BertEncoder>(options.model);
  return std::make_unique<LsaEncoder>(LsaEncoder::fit(n, text_of, options.lsa, seed, threads));
}

std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir) {
  if (fs::exists(dir / kTextEncoderFolder)) return BertEncoder::load(dir);
  return std::make_unique<LsaEncoder>(LsaEncoder::load(dir));
}

std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads, const fs::path& cache) {
  const size_t dim = encoder.dim();
  std::vector<std::string> texts(n);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) texts[i] = text_of(i);
  });
  std::vector<float> vectors(n * dim);
  const std::string identity = cache.empty() ? "" : encoder.identity();
  if (identity.empty()) {
    encoder.encode_all(texts, vectors, threads);
    return vectors;
  }
  VectorCache known(cache, identity, dim);
  fill_cache(encoder, texts, threads, known);
  for (size_t i = 0; i < n; ++i) {
    std::ranges::copy(known.find(texts[i]), vectors.begin() + ptrdiff_t(i * dim));
  }
  return vectors;
}

}  // namespace podium::text
