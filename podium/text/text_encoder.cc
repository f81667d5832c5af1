#include "podium/text/text_encoder.h"

#include <algorithm>

#include "podium/base/parallel.h"
#include "podium/base/progress.h"
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

void TextEncoder::encode_all(std::span<const std::string> texts, std::span<float> vectors,
                             int threads) const {
  parallel_for(threads, texts.size(), 256, [&](size_t begin, size_t end) {
    stop_if_interrupted();
    for (size_t i = begin; i < end; ++i) encode(texts[i], vectors.subspan(i * dim(), dim()));
  });
}

void TextEncoder::encode_cached(std::span<const std::string> texts, std::span<float> vectors,
                                int threads, const fs::path& cache) const {
  const std::string name = cache.empty() ? "" : identity();
  if (name.empty()) return encode_all(texts, vectors, threads);
  VectorCache known(cache, name, dim());
  fill_cache(*this, texts, threads, known);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::ranges::copy(known.find(texts[i]), vectors.begin() + std::ptrdiff_t(i * dim()));
  }
}

void copy_text_encoder(const fs::path& from, const fs::path& to) {
  const std::string_view name =
      fs::exists(from / kTextEncoderFolder) ? kTextEncoderFolder : kTextEncoderFile;
  fs::copy(from / name, to / name, fs::copy_options::recursive);
}

}  // namespace podium::text
