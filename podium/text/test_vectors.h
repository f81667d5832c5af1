// The vector of one text, for tests.
#pragma once

#include <string_view>
#include <vector>

#include "podium/text/text_encoder.h"

namespace podium::text {

inline std::vector<float> vector_of(const TextEncoder& encoder, std::string_view words) {
  std::vector<float> vector(encoder.dim());
  encoder.encode(words, vector);
  return vector;
}

}  // namespace podium::text
