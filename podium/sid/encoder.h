// The encoder of an RQ-VAE without LibTorch: from the items' vectors to the space of its codebooks.
//   x_0 = vector;  x_{i+1} = max(0, W_i x_i + b_i), the last without the maximum
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "podium/artifact/safetensors.h"

namespace podium::sid {

struct EncoderLayer {
  size_t inputs = 0;          // above 0
  std::vector<float> weight;  // [outputs, inputs]
  std::vector<float> bias;    // [outputs], at least one
};

// Each layer reads what the one before gives. Without layers: the vectors as they are.
struct Encoder {
  std::vector<EncoderLayer> layers;

  size_t inputs() const { return layers.front().inputs; }  // with layers only
  // vectors [n, inputs()] -> [n, outputs of the last layer]. The same bits whatever the threads.
  std::vector<float> apply(std::span<const float> vectors, int threads) const;
};

// As tensors encoder.N.weight and encoder.N.bias; the encoder must live until the file is written.
void add_encoder(const Encoder& encoder, artifact::SafetensorsWriter& writer);
// Whose last layer gives `outputs` numbers; without layers where the file holds none. Throws Error
// on layers that do not fit one another or hold what is no number.
Encoder read_encoder(const artifact::SafetensorsFile& file, size_t outputs, const fs::path& path);

}  // namespace podium::sid
