#include "podium/runtime/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/finite.h"

namespace podium::runtime {
namespace {

void check_weights(const rerank::ModelSpec& spec, const WeightMap& weights) {
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(spec)) {
    const auto size = size_t(tensor.elements());
    const auto at = weights.find(tensor.name);
    if (at == weights.end()) {
      throw Error(fmt::format("the model has no tensor {}", tensor.name),
                  "use a complete Qwen3 or Llama checkpoint");
    }
    if (at->second.size() != size) {
      throw Error(fmt::format("tensor {} has {} elements, config.json asks for {}", tensor.name,
                              at->second.size(), size),
                  "use the config.json and model.safetensors of one checkpoint");
    }
    if (!all_finite(at->second)) {
      throw Error(fmt::format("tensor {} holds numbers that are not finite", tensor.name),
                  "train the model again, or use an undamaged checkpoint");
    }
  }
}

}  // namespace

Model::Model(const rerank::ModelSpec& model_spec, const WeightMap& weights,
             kernels::Precision precision)
    : spec(model_spec) {
  check_weights(spec, weights);
  const auto get = [&](const std::string& name) { return weights.find(name)->second.data(); };
  const auto head_norm = [&](const std::string& name) {
    return spec.head_norms ? get(name) : nullptr;
  };
  embedding = get("model.embed_tokens.weight");
  head = spec.tied ? embedding : get("lm_head.weight");
  // Four bits are too few for the output embedding.
  all = {head, size_t(spec.vocab), size_t(spec.hidden),
         std::min(precision, kernels::Precision::kInt8)};
  norm = get("model.norm.weight");
  const auto of_slates = [&](const std::string& name, bool there) {
    return there ? get("podium." + name) : nullptr;
  };
  text = of_slates("text.weight", spec.text_width > 0);
  choice_query = of_slates("choice.query.weight", spec.reads_slates());
  choice_scale = of_slates("choice.scale", spec.reads_slates());
  likeness_user = of_slates("choice.likeness.user", spec.reads_slates());
  likeness_bias = of_slates("choice.likeness.bias", spec.reads_slates());
  stands = of_slates("choice.stands", spec.reads_slates());
  const size_t hidden = spec.hidden, ffn = spec.ffn;
  if (spec.numbers > 0) {
    numbers = {get("podium.numbers.weight"), hidden, size_t(spec.numbers),
               kernels::Precision::kFp32};
  }
  if (spec.reads_slates()) {
    choice_key = {get("podium.choice.key.weight"), size_t(spec.choice), hidden,
                  kernels::Precision::kFp32};
  }
  const size_t query = size_t(spec.heads) * spec.head_dim;
  const size_t key = size_t(spec.kv_heads) * spec.head_dim;
  for (int layer = 0; layer < spec.layers; ++layer) {
    const std::string at = fmt::format("model.layers.{}.", layer);
    const auto pack = [&](const char* name, size_t outputs, size_t inputs) {
      return kernels::PackedMatrix(get(at + name), outputs, inputs, precision);
    };
    layers.push_back({.input_norm = get(at + "input_layernorm.weight"),
                      .post_norm = get(at + "post_attention_layernorm.weight"),
                      .q_norm = head_norm(at + "self_attn.q_norm.weight"),
                      .k_norm = head_norm(at + "self_attn.k_norm.weight"),
                      .q = pack("self_attn.q_proj.weight", query, hidden),
                      .k = pack("self_attn.k_proj.weight", key, hidden),
                      .v = pack("self_attn.v_proj.weight", key, hidden),
                      .o = pack("self_attn.o_proj.weight", hidden, query),
                      .gate = pack("mlp.gate_proj.weight", ffn, hidden),
                      .up = pack("mlp.up_proj.weight", ffn, hidden),
                      .down = pack("mlp.down_proj.weight", hidden, ffn)});
  }
  for (const double frequency : spec.rope.frequencies(spec.head_dim)) {
    inverse_frequency.push_back(float(frequency));
  }
}

bool Model::weighs_likeness() const {
  const auto any = [](const float* weights, size_t count) {
    return weights && std::any_of(weights, weights + count, [](float w) { return w != 0; });
  };
  return any(likeness_bias, rerank::kLikeness) ||
         any(likeness_user, rerank::kLikeness * size_t(spec.hidden));
}

void Model::rotation_at(int position, std::vector<float>& cosine, std::vector<float>& sine) const {
  for (float frequency : inverse_frequency) {
    const float angle = float(position) * frequency;
    cosine.push_back(std::cos(angle));
    sine.push_back(std::sin(angle));
  }
}

}  // namespace podium::runtime
