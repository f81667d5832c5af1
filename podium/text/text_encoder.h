// What turns text into vectors: fitted once on a catalogue, kept beside the semantic IDs, asked
// again for every item that comes later.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "podium/base/files.h"

namespace podium::text {

// Immutable and thread-safe once built. A new kind of encoder is one class and one line of
// fit_text_encoder() and load_text_encoder() (encoder.h).
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  TextEncoder() = default;
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;

  virtual size_t dim() const = 0;

  // Fills vector [dim] with a vector of unit length; with zeros where the text says nothing that
  // the encoder knows. The same text gives the same vector, in training and ever after.
  virtual void encode(std::string_view text, std::span<float> vector) const = 0;

  // The same of several texts at once: vectors is [texts, dim], with the bits of encode(), whatever
  // the number of threads.
  virtual void encode_all(std::span<const std::string> texts, std::span<float> vectors,
                          int threads) const;

  // encode_all(), but a text that the cache holds is not encoded again; what it lacks is added.
  // cache: a folder (vector_cache.h); empty: none. The vectors are the same with and without.
  virtual void encode_cached(std::span<const std::string> texts, std::span<float> vectors,
                             int threads, const fs::path& cache) const;

  // Names what determines the vectors, for a cache of them (vector_cache.h); empty where encoding
  // again costs no more than a cache.
  virtual std::string identity() const { return {}; }

  // Writes kTextEncoderFile, or kTextEncoderFolder, into dir: all that load_text_encoder() needs.
  virtual void save(const fs::path& dir) const = 0;
};

inline constexpr std::string_view kTextEncoderFile = "text_encoder.safetensors";
inline constexpr std::string_view kTextEncoderFolder = "text_encoder";

// What an encoder's save() wrote into `from`, into `to` too.
void copy_text_encoder(const fs::path& from, const fs::path& to);

}  // namespace podium::text
