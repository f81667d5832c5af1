// A small policy as llama.cpp's converter writes it, for tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "podium/artifact/test_gguf.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {

inline rerank::ModelSpec gguf_spec(bool qwen) {
  rerank::ModelSpec spec = tiny_spec(50);
  spec.ffn = 64;
  spec.head_norms = qwen;
  spec.tied = qwen;
  return spec;
}

// Rows as llama.cpp's converter lays out the heads of Llama: i and i + half become neighbours.
inline std::vector<float> neighbours(const std::vector<float>& matrix, size_t dim, size_t width) {
  std::vector<float> out(matrix.size());
  for (size_t row = 0; row < matrix.size() / width; ++row) {
    const size_t in_head = row % dim, half = dim / 2;
    const size_t to = row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
    std::memcpy(out.data() + to * width, matrix.data() + row * width, width * sizeof(float));
  }
  return out;
}

inline std::string replaced(std::string name, const std::string& from, const std::string& to) {
  const size_t at = name.find(from);
  if (at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

inline std::string gguf_tensor_name(std::string name) {
  const char* const names[][2] = {{"model.embed_tokens", "token_embd"},
                                  {"lm_head", "output"},
                                  {"model.layers.", "blk."},
                                  {"model.norm", "output_norm"},
                                  {"post_attention_layernorm", "ffn_norm"},
                                  {"input_layernorm", "attn_norm"},
                                  {"self_attn.", "attn_"},
                                  {"mlp.", "ffn_"},
                                  {"attn_o_proj", "attn_output"},
                                  {"_proj", ""}};
  for (const auto& [from, to] : names) name = replaced(name, from, to);
  return name;
}

inline artifact::gguf_bytes::GgufBuilder gguf_of(const rerank::ModelSpec& spec,
                                                 const TestWeights& weights) {
  using namespace artifact::gguf_bytes;
  const std::string arch = spec.head_norms ? "qwen3" : "llama";
  GgufBuilder file;
  file.pair("general.architecture", kText, word(arch));
  const std::pair<const char*, int> numbers[] = {
      {".embedding_length", spec.hidden},       {".block_count", spec.layers},
      {".attention.head_count", spec.heads},    {".attention.head_count_kv", spec.kv_heads},
      {".feed_forward_length", spec.ffn},       {".context_length", spec.max_positions},
      {".attention.key_length", spec.head_dim},
  };
  for (const auto& [key, value] : numbers) file.pair(arch + key, kU32, raw(uint32_t(value)));
  file.pair(arch + ".attention.layer_norm_rms_epsilon", kFloat, raw(float(spec.norm_eps)));
  file.pair(arch + ".rope.freq_base", kFloat, raw(float(spec.rope.theta)));
  for (const auto& tensor : rerank::tensor_table(spec)) {
    auto values = weights.data.at(tensor.name);
    if (!spec.head_norms && (tensor.name.find("q_proj") != std::string::npos ||
                             tensor.name.find("k_proj") != std::string::npos)) {
      values = neighbours(values, size_t(spec.head_dim), size_t(spec.hidden));
    }
    const std::vector<uint64_t> extents(tensor.shape.rbegin(), tensor.shape.rend());
    file.tensor(gguf_tensor_name(tensor.name), extents, artifact::GgmlType::kF32,
                {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }
  return file;
}

}  // namespace podium::runtime
