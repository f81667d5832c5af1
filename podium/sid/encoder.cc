#include "podium/sid/encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/artifact/checks.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/kernels/kernels.h"

namespace podium::sid {
namespace {

std::string name_of(size_t layer, const char* part) {
  return fmt::format("encoder.{}.{}", layer, part);
}

}  // namespace

std::vector<float> Encoder::apply(std::span<const float> vectors, int threads) const {
  std::vector<float> x(vectors.begin(), vectors.end());
  for (size_t i = 0; i < layers.size(); ++i) {
    const EncoderLayer& layer = layers[i];
    const size_t inputs = layer.inputs, outputs = layer.bias.size();
    PODIUM_CHECK(x.size() % inputs == 0);
    std::vector<float> y(x.size() / inputs * outputs);
    constexpr size_t kChunk = 1024;
    parallel_for(threads, x.size() / inputs, kChunk, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        std::copy(layer.bias.begin(), layer.bias.end(), &y[row * outputs]);
      }
      kernels::matmul_nt(&x[begin * inputs], layer.weight.data(), &y[begin * outputs], end - begin,
                         outputs, inputs, /*accumulate=*/true);
    });
    if (i + 1 < layers.size()) {
      for (float& value : y) value = std::max(value, 0.0F);
    }
    x = std::move(y);
  }
  return x;
}

void add_encoder(const Encoder& encoder, artifact::SafetensorsWriter& writer) {
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    const EncoderLayer& layer = encoder.layers[i];
    const auto outputs = int64_t(layer.bias.size());
    writer.add<float>(name_of(i, "weight"), layer.weight, {outputs, int64_t(layer.inputs)});
    writer.add<float>(name_of(i, "bias"), layer.bias, {outputs});
  }
}

Encoder read_encoder(const artifact::SafetensorsFile& file, size_t outputs, const fs::path& path) {
  Encoder encoder;
  bool sound = true;
  while (sound && file.has(name_of(encoder.layers.size(), "weight"))) {
    const size_t i = encoder.layers.size();
    const auto& shape = file.tensor(name_of(i, "weight")).shape;
    const auto weight = file.get<float>(name_of(i, "weight"));
    const auto bias = file.get<float>(name_of(i, "bias"));
    sound = shape.size() == 2 && shape[1] > 0 && !bias.empty() && size_t(shape[0]) == bias.size() &&
            (i == 0 || size_t(shape[1]) == encoder.layers.back().bias.size()) &&
            artifact::all_finite(weight) && artifact::all_finite(bias);
    if (!sound) break;
    encoder.layers.push_back(
        {size_t(shape[1]), {weight.begin(), weight.end()}, {bias.begin(), bias.end()}});
  }
  sound = sound && (encoder.layers.empty() || encoder.layers.back().bias.size() == outputs);
  artifact::check_sound(sound, "the semantic IDs' encoder", path, "fit them again");
  return encoder;
}

}  // namespace podium::sid
