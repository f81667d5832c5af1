// The text encoders there are: latent semantic analysis (lsa.h), fitted to a catalogue, and BERT
// models (bert.h), read from a directory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/text/lsa.h"
#include "podium/text/text_encoder.h"

namespace podium::text {

using TextOf = std::function<std::string(size_t)>;

struct EncoderOptions {
  std::string model = "lsa";
  double whiten = 0;
  LsaOptions lsa;
  template <class V>
  void visit(V& v) {
    v("model", model,
      "what encodes item text: lsa, or the directory of a BERT model (`podium models get minilm`)");
    v("whiten", whiten,
      "how far a model's vectors are whitened over the catalogue: 1 finds the likes of an item in "
      "a "
      "shop, 0 leaves them as they are, for topics; the options below are lsa's",
      between(0, 1));
    lsa.visit(v);
    v.rule([this] { return whiten == 0 || model != "lsa"; },
           "encoder.whiten needs a model as encoder.model");
  }
};

// LSA is fitted on text_of(i) for i in [0, n), the same for every thread count; a model is only
// read. Not whitened. Throws Error when its directory is missing or holds what podium would not
// compute.
std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const EncoderOptions& options, uint64_t seed,
                                              int threads);

struct EncodedTexts {
  std::unique_ptr<TextEncoder> encoder;
  std::vector<float> vectors;  // [n, dim], encode_texts() of it
};
// fit_text_encoder(), whitened over these texts (whitening.h) where the options say so, and what it
// makes of them. cache: as encode_texts.
EncodedTexts encode_catalogue(size_t n, const TextOf& text_of, const EncoderOptions& options,
                              uint64_t seed, int threads, const fs::path& cache = {});

// From what TextEncoder::save wrote. Throws Error when the file is missing or damaged.
std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir);

// Row-major [n, encoder.dim()]. cache: a folder of vectors of earlier texts, read and added to
// (vector_cache.h); empty: none. The vectors are the same with and without.
std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads, const fs::path& cache = {});

}  // namespace podium::text
