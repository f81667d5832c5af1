// One policy in both formats: a GGUF file answers as the Hugging Face weights that it was made of.
#include "podium/runtime/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>

#include "podium/artifact/test_gguf.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/runtime/test_weights.h"

namespace podium::runtime {
namespace {

using namespace artifact::gguf_bytes;
using artifact::GgmlType;

rerank::ModelSpec gguf_spec(bool qwen) {
  rerank::ModelSpec spec;
  spec.vocab = 50;
  spec.hidden = 32;
  spec.layers = 2;
  spec.heads = 4;
  spec.kv_heads = 2;
  spec.head_dim = 8;
  spec.ffn = 64;
  spec.head_norms = qwen;
  spec.tied = qwen;
  return spec;
}

// Rows as llama.cpp's converter lays out the heads of Llama: i and i + half become neighbours.
std::vector<float> neighbours(const std::vector<float>& matrix, size_t dim, size_t width) {
  std::vector<float> out(matrix.size());
  for (size_t row = 0; row < matrix.size() / width; ++row) {
    const size_t in_head = row % dim, half = dim / 2;
    const size_t to = row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
    std::memcpy(out.data() + to * width, matrix.data() + row * width, width * sizeof(float));
  }
  return out;
}

std::string replaced(std::string name, const std::string& from, const std::string& to) {
  const size_t at = name.find(from);
  if (at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

std::string gguf_tensor_name(std::string name) {
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

GgufBuilder gguf_of(const rerank::ModelSpec& spec, const TestWeights& weights) {
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
  file.pair(arch + ".rope.freq_base", kFloat, raw(float(spec.rope_theta)));
  for (const auto& tensor : rerank::tensor_table(spec)) {
    auto values = weights.data.at(tensor.name);
    if (!spec.head_norms && (tensor.name.find("q_proj") != std::string::npos ||
                             tensor.name.find("k_proj") != std::string::npos)) {
      values = neighbours(values, size_t(spec.head_dim), size_t(spec.hidden));
    }
    const std::vector<uint64_t> extents(tensor.shape.rbegin(), tensor.shape.rend());
    file.tensor(gguf_tensor_name(tensor.name), extents, GgmlType::kF32,
                {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }
  return file;
}

TEST(GgufCheckpoint, AnswersAsTheWeightsItWasMadeOf) {
  const fs::path dir = scratch_dir("gguf");
  for (const bool qwen : {true, false}) {
    const rerank::ModelSpec spec = gguf_spec(qwen);
    const TestWeights weights(spec, 3);
    const fs::path path = dir / (qwen ? "qwen.gguf" : "llama.gguf");
    write_file_atomic(path, gguf_of(spec, weights).bytes());
    const Engine engine = Engine::open(path);
    EXPECT_EQ(engine.spec().head_norms, qwen);
    EXPECT_EQ(engine.spec().tied, qwen);
    const std::vector<TokenId> tokens = {3, 1, 4, 1, 5, 9, 2, 6};
    EXPECT_EQ(engine.logits(tokens), Engine(spec, weights.weights()).logits(tokens));
  }
}

TEST(GgufCheckpoint, WhatDoesNotFitIsRefusedByName) {
  const fs::path path = scratch_dir("gguf-bad") / "model.gguf";
  const rerank::ModelSpec spec = gguf_spec(false);
  const TestWeights weights(spec, 3);
  const auto refusal = [&](const GgufBuilder& file) {
    write_file_atomic(path, file.bytes());
    try {
      read_checkpoint(path);
    } catch (const Error& error) {
      EXPECT_NE(error.where().find("model.gguf"), std::string::npos);
      EXPECT_FALSE(error.cure().empty());
      return error.message();
    }
    return std::string("read");
  };
  EXPECT_EQ(refusal(gguf_of(spec, weights)), "read");
  EXPECT_NE(refusal(gguf_of(spec, weights)
                        .tensor("rope_freqs.weight", {4}, GgmlType::kF32, std::string(16, '\1')))
                .find("rotary"),
            std::string::npos);
  auto wider = spec;
  wider.ffn = 96;
  GgufBuilder mixed = gguf_of(spec, weights);
  mixed.pairs = gguf_of(wider, TestWeights(wider, 3)).pairs;
  EXPECT_NE(refusal(mixed).find("gate_proj"), std::string::npos);
  GgufBuilder other;
  other.pair("general.architecture", kText, word("bert"));
  EXPECT_NE(refusal(other), "read");
  EXPECT_THROW(read_checkpoint(path.parent_path() / "absent.gguf"), Error);
}

}  // namespace
}  // namespace podium::runtime
