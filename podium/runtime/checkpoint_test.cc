// One policy in both formats: a GGUF file answers as the Hugging Face weights that it was made of.
#include "podium/runtime/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/runtime/reference.h"
#include "podium/runtime/test_gguf_checkpoint.h"

namespace podium::runtime {
namespace {

using namespace artifact::gguf_bytes;
using artifact::GgmlType;

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

// A linear factor stretches positions: in whatever key it stands, as the configuration says it.
TEST(GgufCheckpoint, LinearScalingIsThatOfTheConfiguration) {
  const fs::path path = scratch_dir("gguf-linear") / "model.gguf";
  const rerank::ModelSpec plain = gguf_spec(true);
  rerank::ModelSpec scaled = plain;
  scaled.rope.scaling = {.kind = rerank::RopeScaling::Kind::kLinear, .factor = 8};
  const TestWeights weights(plain, 3);
  const std::vector<TokenId> tokens = {3, 1, 4, 1, 5, 9, 2, 6};
  const auto expected = Engine(scaled, weights.weights()).logits(tokens);
  EXPECT_NE(expected, Engine(plain, weights.weights()).logits(tokens));
  const auto slow = reference_logits(scaled, weights.weights(), tokens, causal(tokens.size()));
  for (size_t i = 0; i < slow.size(); ++i) ASSERT_NEAR(expected[i], slow[i], 1e-4);
  const auto logits_of = [&](const GgufBuilder& file) {
    write_file_atomic(path, file.bytes());
    return Engine::open(path).logits(tokens);
  };
  const std::string factor = raw(8.0F);
  EXPECT_EQ(logits_of(gguf_of(plain, weights)
                          .pair("qwen3.rope.scaling.type", kText, word("linear"))
                          .pair("qwen3.rope.scaling.factor", kFloat, factor)),
            expected);
  EXPECT_EQ(logits_of(gguf_of(plain, weights).pair("qwen3.rope.scaling.factor", kFloat, factor)),
            expected);
  EXPECT_EQ(logits_of(gguf_of(plain, weights).pair("qwen3.rope.scale_linear", kFloat, factor)),
            expected);
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
  const auto named = [&](const std::string& what, const GgufBuilder& file) {
    const std::string message = refusal(file);
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  const auto keyed = [&](const std::string& key, GgufKind kind, const std::string& value) {
    return gguf_of(spec, weights).pair("llama." + key, kind, value);
  };
  named("rotary", gguf_of(spec, weights)
                      .tensor("rope_freqs.weight", {4}, GgmlType::kF32, std::string(16, '\1')));
  named("rope.scaling.type is yarn", keyed("rope.scaling.type", kText, word("yarn"))
                                         .pair("llama.rope.scaling.factor", kFloat, raw(4.0F)));
  named("longrope", keyed("rope.scaling.type", kText, word("longrope")));
  named("attn_factor", keyed("rope.scaling.attn_factor", kFloat, raw(1.2F)));
  named("dimension_count is 4", keyed("rope.dimension_count", kU32, raw(uint32_t{4})));
  named("value_length is 16", keyed("attention.value_length", kU32, raw(uint32_t{16})));
  named("vocab_size", keyed("vocab_size", kU32, raw(uint32_t{51})));
  named("expert_count", keyed("expert_count", kU32, raw(uint32_t{8})));
  named("sliding_window", keyed("attention.sliding_window", kU32, raw(uint32_t{512})));
  named("logit_scale", keyed("logit_scale", kFloat, raw(0.5F)));
  EXPECT_EQ(refusal(keyed("expert_count", kU32, raw(uint32_t{0}))), "read");
  EXPECT_EQ(refusal(keyed("rope.dimension_count", kU32, raw(uint32_t{8}))), "read");
  EXPECT_EQ(refusal(keyed("rope.scaling.type", kText, word("none"))), "read");
  const std::string row(32 * sizeof(float), '\1');
  for (const char* name : {"blk.0.attn_q.bias", "blk.1.attn_q_norm.weight", "blk.2.attn_q.weight",
                           "output_norm.bias", "blk.0.attn_sinks.weight"}) {
    named(name, gguf_of(spec, weights).tensor(name, {32}, GgmlType::kF32, row));
  }
  GgufBuilder scalar = gguf_of(spec, weights);
  const size_t embedding = scalar.plans.find("token_embd.weight") + 17;
  scalar.plans.replace(embedding, 4 + 16, raw(uint32_t{0}));  // without its two extents
  EXPECT_NE(refusal(scalar), "read");
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

// A Hugging Face directory made of a configuration and tensors.
class Directory : public testing::Test {
 protected:
  Directory() : spec_(gguf_spec(true)), weights_(spec_, 3), dir_(scratch_dir("hf-directory")) {
    config_ = rerank::to_config_json(spec_);
    tensors_ = weights_.data;
  }

  void write(const fs::path& file, const std::vector<std::string>& names) {
    artifact::SafetensorsWriter writer;
    const auto table = rerank::tensor_table(gguf_spec(false));
    for (const std::string& name : names) {
      std::vector<int64_t> shape = {int64_t(tensors_.at(name).size())};
      for (const auto& tensor : table) {
        if (tensor.name == name) shape = tensor.shape;
      }
      writer.add<float>(name, tensors_.at(name), shape);
    }
    writer.write(dir_ / file);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, values] : tensors_) all.push_back(name);
    return all;
  }

  std::vector<float> logits() {
    write_json_atomic(dir_ / "config.json", config_);
    if (!sharded_) write("model.safetensors", names());
    return Engine::open(dir_).logits(tokens_);
  }

  std::string refusal() {
    try {
      logits();
    } catch (const Error& error) {
      return error.message();
    }
    return "read";
  }

  const std::vector<TokenId> tokens_ = {3, 1, 4, 1, 5};
  rerank::ModelSpec spec_;
  TestWeights weights_;
  fs::path dir_;
  Json config_;
  decltype(TestWeights::data) tensors_;
  bool sharded_ = false;
};

TEST_F(Directory, ShardsAnswerAsTheWhole) {
  const auto expected = logits();
  fs::remove(dir_ / "model.safetensors");
  const auto all = names();
  const std::vector<std::string> first(all.begin(), all.begin() + 9),
      rest(all.begin() + 9, all.end());
  write("one.safetensors", first);
  write("two.safetensors", rest);
  Json map = Json::object();
  for (const auto& name : first) map[name] = "one.safetensors";
  for (const auto& name : rest) map[name] = "two.safetensors";
  write_json_atomic(dir_ / "model.safetensors.index.json", {{"weight_map", map}});
  sharded_ = true;
  EXPECT_EQ(logits(), expected);
  fs::remove(dir_ / "two.safetensors");
  EXPECT_NE(refusal().find("two.safetensors"), std::string::npos);
}

// Whatever a foreign tensor's type is: of a known size, of none, or of no name that podium knows.
TEST_F(Directory, TensorsOfOtherTypesAreRefusedByName) {
  logits();
  const fs::path file = dir_ / "model.safetensors";
  const std::string name = "model.norm.weight", whole = read_file(file);
  uint64_t length = 0;
  std::memcpy(&length, whole.data(), 8);
  const Json header = parse_json(whole.substr(8, length), "header");
  const auto bytes =
      uint64_t(header[name]["data_offsets"][1]) - uint64_t(header[name]["data_offsets"][0]);
  const std::vector<std::pair<std::string, uint64_t>> types = {
      {"F64", 8},     {"I64", 8}, {"U64", 8}, {"I32", 4},         {"U32", 4},     {"I16", 2},
      {"U16", 2},     {"I8", 1},  {"U8", 1},  {"BOOL", 1},        {"F8_E4M3", 1}, {"F8_E5M2", 1},
      {"F8_E8M0", 1}, {"F4", 0},  {"C64", 8}, {"no such type", 0}};
  sharded_ = true;  // the file is not written again
  for (const auto& [type, size] : types) {
    Json changed = header;
    changed[name]["dtype"] = type;
    const uint64_t used = size == 0 ? bytes : uint64_t(spec_.hidden) * size;
    const uint64_t begin = header[name]["data_offsets"][0], end = begin + bytes;
    std::string data = whole.substr(8 + length);
    data.replace(begin, bytes, std::string(used, '\1'));
    for (auto& [key, entry] : changed.items()) {
      if (key == "__metadata__") continue;
      for (Json& offset : entry["data_offsets"]) {
        if (uint64_t(offset) >= end) offset = uint64_t(offset) - bytes + used;
      }
    }
    const std::string text = changed.dump();
    const uint64_t size_of_text = text.size();
    write_file_atomic(file,
                      std::string(reinterpret_cast<const char*>(&size_of_text), 8) + text + data);
    EXPECT_EQ(refusal(),
              fmt::format("tensor {} is of type {}, which is not supported", name, type));
  }
}

TEST_F(Directory, Llama3PositionsAreThoseOfTheReference) {
  const auto plain = logits();
  spec_.rope.scaling = {.kind = rerank::RopeScaling::Kind::kLlama3,
                        .factor = 8,
                        .low_freq = 1,
                        .high_freq = 4,
                        .original_positions = 64};
  config_.erase("rope_theta");
  config_["rope_scaling"] = nullptr;
  config_["rope_parameters"] = rerank::to_json(spec_.rope.scaling);
  config_["rope_parameters"]["rope_theta"] = 10000.0;
  const auto scaled = logits();
  EXPECT_NE(scaled, plain);
  const auto slow = reference_logits(spec_, weights_.weights(), tokens_, causal(tokens_.size()));
  for (size_t i = 0; i < slow.size(); ++i) ASSERT_NEAR(scaled[i], slow[i], 1e-4);
}

TEST_F(Directory, TheHeadIsTiedAsTheFileSays) {
  const auto tied = logits();
  const auto embedding = tensors_.at("model.embed_tokens.weight");
  config_["tie_word_embeddings"] = nullptr;
  EXPECT_EQ(logits(), tied);
  config_["tie_word_embeddings"] = true;
  tensors_["lm_head.weight"] = embedding;
  EXPECT_EQ(logits(), tied);
  config_["tie_word_embeddings"] = false;
  EXPECT_EQ(logits(), tied);
  tensors_["lm_head.weight"][7] += 1;
  EXPECT_NE(logits(), tied);
  config_.erase("tie_word_embeddings");
  EXPECT_NE(logits(), tied);
  config_["tie_word_embeddings"] = true;
  EXPECT_NE(refusal().find("lm_head.weight"), std::string::npos);
  tensors_.erase("lm_head.weight");
  config_["tie_word_embeddings"] = false;
  EXPECT_NE(refusal().find("lm_head.weight"), std::string::npos);
}

TEST_F(Directory, WeightsThatWouldBeLeftOutAreRefused) {
  const auto expected = logits();
  for (const char* name :
       {"model.layers.0.self_attn.q_proj.bias", "model.layers.1.mlp.down_proj.bias",
        "model.layers.2.input_layernorm.weight", "model.norm.bias", "lm_head.bias",
        "model.layers.0.self_attn.q_proj.lora_A.weight",
        "model.layers.0.pre_feedforward_layernorm.weight"}) {
    tensors_[name] = {1, 2, 3};
    EXPECT_NE(refusal().find(name), std::string::npos) << name;
    tensors_.erase(name);
  }
  tensors_["model.layers.0.self_attn.rotary_emb.inv_freq"] = {1, 2, 3};
  tensors_["v_head.summary.weight"] = {1, 2, 3};
  EXPECT_EQ(logits(), expected);
}

TEST_F(Directory, NumbersThatAreNotFiniteAreNamed) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {infinity, -infinity, std::nanf("")}) {
    for (const char* name : {"model.norm.weight", "model.embed_tokens.weight",
                             "model.layers.1.self_attn.k_proj.weight"}) {
      const float before = tensors_[name].back();
      tensors_[name].back() = value;
      EXPECT_NE(refusal().find(std::string(name) + " holds numbers that are not finite"),
                std::string::npos);
      tensors_[name].back() = before;
    }
  }
  EXPECT_EQ(refusal(), "read");
}

}  // namespace
}  // namespace podium::runtime
