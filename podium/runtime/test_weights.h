// Random weights of a small policy, for tests.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/base/rng.h"
#include "podium/runtime/engine.h"

namespace podium::runtime {

inline rerank::ModelSpec tiny_spec(int vocab) {
  rerank::ModelSpec spec;
  spec.vocab = vocab;
  spec.hidden = 32;
  spec.layers = 2;
  spec.heads = 4;
  spec.kv_heads = 2;
  spec.head_dim = 8;
  spec.ffn = 48;
  return spec;
}

struct TestWeights {
  std::map<std::string, std::vector<float>, std::less<>> data;

  // Matrices of about unit gain times `scale`, norms around 1.
  TestWeights(const rerank::ModelSpec& spec, uint64_t seed, double scale = 1.0) {
    for (const auto& tensor : rerank::tensor_table(spec)) {
      Rng rng = Rng(seed).fork(tensor.name);
      const auto n = size_t(tensor.elements());
      auto& values = data[tensor.name];
      const bool norm = tensor.shape.size() == 1;
      const double width = norm ? 0.2 : scale / std::sqrt(double(tensor.shape[1]));
      for (size_t i = 0; i < n; ++i) {
        values.push_back(float((norm ? 1.0 : 0.0) + width * rng.normal()));
      }
    }
  }

  WeightMap weights() const {
    WeightMap result;
    for (const auto& [name, values] : data) result[name] = values;
    return result;
  }
};

// config.json and model.safetensors in fp32, of values by tensor name.
inline void write_hugging_face(const fs::path& dir, const rerank::ModelSpec& spec,
                               const decltype(TestWeights::data)& values) {
  artifact::SafetensorsWriter writer;
  for (const auto& tensor : rerank::tensor_table(spec)) {
    writer.add<float>(tensor.name, values.at(tensor.name), tensor.shape);
  }
  writer.write(dir / "model.safetensors");
  write_json_atomic(dir / "config.json", rerank::to_config_json(spec));
}

}  // namespace podium::runtime
