// What turns text into vectors: fitted once on a catalogue, kept beside the semantic IDs, asked
// again for every item that comes later.
#pragma once

#include <span>
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

  // Writes kTextEncoderFile into dir.
  virtual void save(const fs::path& dir) const = 0;
};

inline constexpr std::string_view kTextEncoderFile = "text_encoder.safetensors";

}  // namespace podium::text
