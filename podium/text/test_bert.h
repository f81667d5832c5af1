// A small random BERT model's directory, for tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/text/bert_config.h"

namespace podium::text {

inline Json tiny_bert_config() {
  return {{"model_type", "bert"},
          {"architectures", {"BertModel"}},
          {"hidden_act", "gelu"},
          {"vocab_size", 9},
          {"hidden_size", 24},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 3},
          {"intermediate_size", 40},
          {"layer_norm_eps", 1e-12},
          {"type_vocab_size", 2},
          {"max_position_embeddings", 64}};
}

using TinyWeights = std::map<std::string, std::vector<float>>;

inline void write_bert_weights(const fs::path& dir, const TinyWeights& weights) {
  artifact::SafetensorsWriter writer;
  for (const auto& [name, shape] : bert_tensors(read_bert_config(dir))) {
    const auto found = weights.find(name);
    if (found != weights.end()) writer.add<float>(name, found->second, shape);
  }
  writer.write(dir / "model.safetensors");
}

// Writes config.json, vocab.txt and model.safetensors; returns the weights.
inline TinyWeights write_tiny_bert(const fs::path& dir) {
  write_json_atomic(dir / "config.json", tiny_bert_config());
  write_file_atomic(dir / "vocab.txt",
                    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nred\nnail\n##s\npolish\nhair\n");
  TinyWeights weights;
  for (const auto& [name, shape] : bert_tensors(read_bert_config(dir))) {
    Rng rng = Rng(1).fork(name);
    const double middle = name.ends_with("LayerNorm.weight") ? 1 : 0;
    size_t size = 1;
    for (const int64_t extent : shape) size *= size_t(extent);
    for (size_t i = 0; i < size; ++i) {
      weights[name].push_back(float(middle + 0.3 * rng.normal()));
    }
  }
  write_bert_weights(dir, weights);
  return weights;
}

}  // namespace podium::text
