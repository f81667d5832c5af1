// The text encoders there are: today one, latent semantic analysis (lsa.h).
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

// Fitted on text_of(i) for i in [0, n). The same for every thread count.
std::unique_ptr<TextEncoder> fit_text_encoder(size_t n, const TextOf& text_of,
                                              const LsaOptions& options, uint64_t seed,
                                              int threads);

// From what TextEncoder::save wrote. Throws Error when the file is missing or damaged.
std::unique_ptr<TextEncoder> load_text_encoder(const fs::path& dir);

// Row-major [n, encoder.dim()].
std::vector<float> encode_texts(const TextEncoder& encoder, size_t n, const TextOf& text_of,
                                int threads);

}  // namespace podium::text
