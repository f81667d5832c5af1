// The text encoders there are: latent semantic analysis (lsa.h), fitted to a catalogue, and BERT
// models (bert.h), read from a directory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "podium/text/lsa.h"
#include "podium/text/text_encoder.h"

namespace podium::text {

using TextOf = std::function<std::string(size_t)>;

struct EncoderOptions {
  std::string model = "lsa";
  LsaOptions lsa;
  template <class V>
  void visit(V& v) {
    v("model", model,
      "what encodes item text: lsa, or the directory of a BERT model (`podium models get minilm`); "
      "the options below are lsa's");
    lsa.visit(v);
  }
};

// LSA is fitted on text_of(i) for i in [0, n), the same for every thread count; a model is only
// read. Throws Error when its directory is missing or holds what podium would not compute.
std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const EncoderOptions& options, uint64_t seed,
                                              int threads);

// From what TextEncoder::save wrote. Throws Error when the file is missing or damaged.
std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir);

// Row-major [n, encoder.dim()]. cache: a folder of vectors of earlier texts, read and added to
// (vector_cache.h); empty: none. The vectors are the same with and without.
std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads, const fs::path& cache = {});

}  // namespace podium::text
