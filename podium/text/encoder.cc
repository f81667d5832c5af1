#include "podium/text/encoder.h"

#include <fmt/format.h>

#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/text/bert.h"
#include "podium/text/whitening.h"

namespace podium::text {

std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const EncoderOptions& options, uint64_t seed,
                                              int threads) {
  if (options.model != "lsa") return std::make_unique<BertEncoder>(options.model);
  return std::make_unique<LsaEncoder>(LsaEncoder::fit(n, text_of, options.lsa, seed, threads));
}

EncodedTexts encode_catalogue(size_t n, const TextOf& text_of, const EncoderOptions& options,
                              uint64_t seed, int threads, const fs::path& cache) {
  EncodedTexts all{fit_text_encoder(n, text_of, options, seed, threads), {}};
  all.vectors = encode_texts(*all.encoder, n, text_of, threads, cache);
  const size_t dim = all.encoder->dim();
  if (options.whiten > 0 && n <= dim) {
    log_warning(
        fmt::format("encoder.whiten: {} texts are too few for {} dimensions; their vectors "
                    "stay as they are",
                    n, dim));
  } else if (options.whiten > 0) {
    auto whitened =
        std::make_unique<WhitenedEncoder>(std::move(all.encoder), all.vectors, options.whiten);
    whitened->apply(all.vectors, threads);
    all.encoder = std::move(whitened);
  }
  return all;
}

std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir) {
  if (fs::exists(dir / kTextEncoderFolder)) {
    std::unique_ptr<TextEncoder> model = BertEncoder::load(dir);
    auto whitened = WhitenedEncoder::load(model, dir);
    return whitened ? std::move(whitened) : std::move(model);
  }
  return std::make_unique<LsaEncoder>(LsaEncoder::load(dir));
}

std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads, const fs::path& cache) {
  std::vector<std::string> texts(n);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) texts[i] = text_of(i);
  });
  std::vector<float> vectors(n * encoder.dim());
  encoder.encode_cached(texts, vectors, threads, cache);
  return vectors;
}

}  // namespace podium::text
