#include "podium/rerank/model_spec.h"

#include <gtest/gtest.h>

#include <set>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

TEST(ModelSpec, SizesAreAsNamed) {
  EXPECT_NEAR(double(model_spec("pico", 2600).parameters()), 0.25e6, 0.03e6);
  EXPECT_NEAR(double(model_spec("nano", 2600).parameters()), 1.0e6, 0.1e6);
  EXPECT_NEAR(double(model_spec("small", 2600).parameters()), 6.0e6, 0.3e6);
  EXPECT_NEAR(double(model_spec("base", 2600).parameters()), 25e6, 1e6);
  EXPECT_THROW(model_spec("huge", 2600), Error);
}

TEST(ModelSpec, ParametersByHand) {
  ModelSpec spec;
  spec.vocab = 10;
  spec.hidden = 4;
  spec.layers = 1;
  spec.heads = 2;
  spec.kv_heads = 1;
  spec.head_dim = 6;
  spec.ffn = 5;
  // embedding 40, q 48, k 24, v 24, o 48, head norms 12, mlp 60, norms 8, final norm 4
  EXPECT_EQ(spec.parameters(), 268);
  spec.tied = false;
  EXPECT_EQ(spec.parameters(), 308);
}

TEST(ModelSpec, TableHasHuggingFaceNames) {
  const auto table = tensor_table(model_spec("nano", 100));
  std::set<std::string> names;
  for (const auto& tensor : table) names.insert(tensor.name);
  EXPECT_EQ(names.size(), table.size());
  EXPECT_EQ(names.size(), 2u + 4 * 11);
  EXPECT_TRUE(names.contains("model.layers.3.mlp.down_proj.weight"));
  EXPECT_TRUE(names.contains("model.layers.0.self_attn.q_norm.weight"));
  EXPECT_FALSE(names.contains("lm_head.weight"));
}

TEST(ModelSpec, ConfigRoundTrip) {
  ModelSpec spec = model_spec("small", 4321);
  spec.tied = false;
  spec.rope.theta = 1e6;
  const ModelSpec back = from_config_json(parse_json(to_config_json(spec).dump(), "t"), "t");
  EXPECT_EQ(to_config_json(back), to_config_json(spec));
  EXPECT_EQ(back.ffn, spec.ffn);
  EXPECT_EQ(back.max_positions, spec.max_positions);
  EXPECT_FALSE(back.tied);
}

TEST(ModelSpec, LlamaIsQwen3WithoutNormsOfHeads) {
  Json config = to_config_json(model_spec("nano", 100));
  config["model_type"] = "llama";
  config["architectures"] = {"LlamaForCausalLM"};
  config.erase("head_dim");
  const ModelSpec spec = from_config_json(config, "t");
  EXPECT_FALSE(spec.head_norms);
  EXPECT_EQ(spec.head_dim, spec.hidden / spec.heads);
  EXPECT_EQ(to_config_json(spec)["model_type"], "llama");
  const auto table = tensor_table(spec);
  EXPECT_EQ(table.size(), 2u + 4 * 9);
  for (const auto& tensor : table) EXPECT_EQ(tensor.name.find("q_norm"), std::string::npos);
  config["num_attention_heads"] = 6;
  config["num_key_value_heads"] = 6;
  EXPECT_THROW(from_config_json(config, "t"), Error);
}

TEST(ModelSpec, ReadsRopeParametersOfTransformers5) {
  Json config = to_config_json(model_spec("nano", 100));
  config.erase("rope_theta");
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5000.0}};
  EXPECT_EQ(from_config_json(config, "t").rope.theta, 5000.0);
}

TEST(ModelSpec, WhatChangesNothingIsRead) {
  const Json good = to_config_json(model_spec("nano", 100));
  const std::pair<const char*, Json> harmless[] = {
      {"rope_scaling", {{"rope_type", "default"}}},
      {"tie_word_embeddings", nullptr},
      {"partial_rotary_factor", 1.0},
      {"sliding_window", 4096},  // Qwen's, switched off
      {"max_window_layers", 28},
      {"layer_types", std::vector<std::string>(4, "full_attention")},
      {"dtype", "bfloat16"},
      {"transformers_version", "5.0.0"},
      {"_name_or_path", "x"},
      {"bos_token_id", 1},
      {"attention_dropout", 0.1},
      {"quantization_config", nullptr},
      {"final_logit_softcapping", nullptr},
      {"pruned_heads", Json::object()},
      {"some_key_of_tomorrow", false},
      {"architectures", nullptr}};
  for (const auto& [field, value] : harmless) {
    Json config = good;
    config[field] = value;
    EXPECT_NO_THROW(from_config_json(config, "t")) << field;
  }
  Json llama = good;
  llama["model_type"] = "llama";
  llama["architectures"] = {"LlamaForCausalLM"};
  EXPECT_NO_THROW(from_config_json(llama, "t"));
  llama["sliding_window"] = 4096;
  EXPECT_THROW(from_config_json(llama, "t"), Error);
}

TEST(ModelSpec, ScalingSurvivesTheRoundTrip) {
  ModelSpec spec = model_spec("nano", 100);
  spec.rope.scaling = {.kind = RopeScaling::Kind::kLlama3,
                       .factor = 8,
                       .low_freq = 1,
                       .high_freq = 4,
                       .original_positions = 128};
  EXPECT_EQ(from_config_json(to_config_json(spec), "t").rope, spec.rope);
}

TEST(ModelSpec, MalformedConfigsAreRefusedByField) {
  const Json good = to_config_json(model_spec("nano", 100));
  const auto error_of = [&](const char* field, const Json& value) {
    Json config = good;
    config[field] = value;
    try {
      from_config_json(config, "config.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), "config.json");
      return error.message();
    }
    return std::string("accepted");
  };
  for (const char* field :
       {"vocab_size", "hidden_size", "num_hidden_layers", "head_dim", "num_attention_heads",
        "num_key_value_heads", "intermediate_size", "max_position_embeddings"}) {
    for (const Json& value : {Json(0), Json(-1), Json(1.5), Json("4"), Json(nullptr),
                              Json(uint64_t(1) << 63), Json::array()}) {
      EXPECT_NE(error_of(field, value).find(field), std::string::npos) << field << value;
    }
    Json config = good;
    config.erase(field);
    EXPECT_THROW(from_config_json(config, ""), Error) << field;
  }
  const std::pair<const char*, Json> bad[] = {
      {"rope_theta", 0},
      {"rms_norm_eps", "x"},
      {"tie_word_embeddings", 1},
      {"model_type", "llama4"},
      {"hidden_act", "gelu"},
      {"attention_bias", true},
      {"mlp_bias", true},
      {"rope_scaling", {{"type", "yarn"}}},
      {"rope_parameters", {{"rope_type", "yarn"}}},
      {"num_key_value_heads", 3},
      {"head_dim", 33},
      {"use_sliding_window", true},
      {"layer_types", {"full_attention", "sliding_attention", "full_attention", "full_attention"}},
      {"layer_types", {"full_attention"}},
      {"architectures", {"Qwen3ForSequenceClassification"}},
      {"partial_rotary_factor", 0.5},
      // Keys of other models: none of them is computed.
      {"quantization_config", {{"quant_method", "fp8"}}},
      {"final_logit_softcapping", 30.0},
      {"attn_logit_softcapping", 50.0},
      {"logit_scale", 0.0625},
      {"attention_multiplier", 0.015625},
      {"embedding_multiplier", 12},
      {"residual_multiplier", 0.22},
      {"num_experts", 128},
      {"num_local_experts", 8},
      {"qkv_bias", true},
      {"clip_qkv", 8},
      {"auto_map", {{"AutoModel", "x"}}},
      {"some_key_of_tomorrow", 1}};
  for (const auto& [field, value] : bad) {
    EXPECT_NE(error_of(field, value).find(field), std::string::npos) << field << value;
  }
  EXPECT_THROW(from_config_json(Json::array(), ""), Error);
}

}  // namespace
}  // namespace podium::rerank
