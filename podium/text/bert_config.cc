#include "podium/text/bert_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/json_fields.h"

namespace podium::text {
namespace {

constexpr std::string_view kModelCure =
    "use a BERT encoder with mean pooling, such as all-MiniLM-L6-v2";
constexpr const char* kModules = "modules.json";
constexpr const char* kPooling = "1_Pooling/config.json";
constexpr const char* kLength = "sentence_bert_config.json";
constexpr const char* kPrompts = "config_sentence_transformers.json";
constexpr const char* kShards = "model.safetensors.index.json";

// Sorted. Read here, or of use to training and libraries only.
constexpr std::string_view kKnownKeys[] = {"_attn_implementation",
                                           "_name_or_path",
                                           "architectures",
                                           "attention_probs_dropout_prob",
                                           "bos_token_id",
                                           "classifier_dropout",
                                           "dtype",
                                           "eos_token_id",
                                           "gradient_checkpointing",
                                           "hidden_act",
                                           "hidden_dropout_prob",
                                           "hidden_size",
                                           "id2label",
                                           "initializer_range",
                                           "intermediate_size",
                                           "label2id",
                                           "layer_norm_eps",
                                           "max_position_embeddings",
                                           "model_type",
                                           "num_attention_heads",
                                           "num_hidden_layers",
                                           "pad_token_id",
                                           "position_embedding_type",
                                           "torch_dtype",
                                           "transformers_version",
                                           "type_vocab_size",
                                           "use_cache",
                                           "vocab_size"};
static_assert(std::is_sorted(std::begin(kKnownKeys), std::end(kKnownKeys)));

BertConfig from_config(const JsonFields& fields) {
  if (const Json& type = fields.field("model_type"); type != "bert") {
    fields.fail(
        fmt::format("model_type is {}, only \"bert\" is supported", JsonFields::shown(type)));
  }
  fields.expect("architectures", Json::array({"BertModel"}));
  fields.expect("hidden_act", "gelu");
  fields.expect("position_embedding_type", "absolute");
  BertConfig config;
  config.vocab = fields.integer("vocab_size", 1, 1 << 21);
  config.hidden = fields.integer("hidden_size", 1, 4096);
  config.layers = fields.integer("num_hidden_layers", 1, 256);
  config.heads = fields.integer("num_attention_heads", 1, 1024);
  config.ffn = fields.integer("intermediate_size", 1, 1 << 20);
  config.positions = fields.integer("max_position_embeddings", 3, 1 << 20);
  config.types = fields.integer("type_vocab_size", 1, 1024);
  config.norm_eps = float(fields.real("layer_norm_eps", 0, 1));
  config.max_tokens = config.positions;
  if (config.hidden % config.heads != 0) {
    fields.fail("hidden_size is no multiple of num_attention_heads");
  }
  fields.check_known(kKnownKeys);
  return config;
}

void check_pooling(const fs::path& path) {
  const Json json = read_json(path);
  const JsonFields fields(json, "the pooling's configuration", kModelCure, path.string());
  if (!fields.boolean("pooling_mode_mean_tokens", false)) {
    fields.fail("pooling_mode_mean_tokens is not true: only mean pooling is supported");
  }
  for (const auto& [key, value] : json.items()) {
    if (key != "pooling_mode_mean_tokens" && key.starts_with("pooling_mode_")) {
      fields.expect(key, false);
    }
  }
}

void check_modules(const fs::path& dir) {
  const fs::path path = dir / kModules;
  const Json modules = read_json(path);
  constexpr std::pair<std::string_view, std::string_view> kOrder[] = {
      {"Transformer", ""}, {"Pooling", "1_Pooling"}, {"Normalize", "2_Normalize"}};
  size_t next = 0;
  for (const Json& module : modules) {
    const JsonFields fields(module, "a module", kModelCure, path.string());
    const Json& type = fields.field("type");
    const std::string name = type.is_string() ? type.get<std::string>() : "";
    if (next == std::size(kOrder) || name.substr(name.rfind('.') + 1) != kOrder[next].first) {
      fields.fail(
          fmt::format("module {} is {}, only Transformer, Pooling and Normalize, in this "
                      "order, are supported",
                      next + 1, JsonFields::shown(type)));
    }
    fields.expect("path", kOrder[next++].second);
  }
  check_pooling(dir / kPooling);
}

}  // namespace

BertConfig read_bert_config(const fs::path& dir) {
  const fs::path path = dir / "config.json";
  const Json json = read_json(path);
  BertConfig config = from_config({json, "the model's configuration", kModelCure, path.string()});
  if (fs::exists(dir / kModules)) check_modules(dir);
  if (fs::exists(dir / kLength)) {
    const Json length = read_json(dir / kLength);
    const JsonFields fields(length, "the encoder's configuration", kModelCure,
                            (dir / kLength).string());
    if (fields.find("max_seq_length") != nullptr) {
      config.max_tokens = fields.integer("max_seq_length", 3, config.positions);
    }
  }
  if (fs::exists(dir / kPrompts)) {
    const Json prompts = read_json(dir / kPrompts);
    const JsonFields fields(prompts, "the prompts' configuration", kModelCure,
                            (dir / kPrompts).string());
    if (fields.find("default_prompt_name") != nullptr) {
      fields.expect("default_prompt_name", nullptr);
    }
  }
  return config;
}

std::vector<std::pair<std::string, std::vector<int64_t>>> bert_tensors(const BertConfig& config) {
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors;
  const int64_t hidden = config.hidden, ffn = config.ffn;
  const auto norm = [&](const std::string& name) {
    tensors.push_back({name + ".weight", {hidden}});
    tensors.push_back({name + ".bias", {hidden}});
  };
  const auto linear = [&](const std::string& name, int64_t outputs, int64_t inputs) {
    tensors.push_back({name + ".weight", {outputs, inputs}});
    tensors.push_back({name + ".bias", {outputs}});
  };
  tensors.push_back({"embeddings.word_embeddings.weight", {config.vocab, hidden}});
  tensors.push_back({"embeddings.position_embeddings.weight", {config.positions, hidden}});
  tensors.push_back({"embeddings.token_type_embeddings.weight", {config.types, hidden}});
  norm("embeddings.LayerNorm");
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string at = fmt::format("encoder.layer.{}.", layer);
    for (const char* name : {"query", "key", "value"}) {
      linear(at + "attention.self." + name, hidden, hidden);
    }
    linear(at + "attention.output.dense", hidden, hidden);
    norm(at + "attention.output.LayerNorm");
    linear(at + "intermediate.dense", ffn, hidden);
    linear(at + "output.dense", hidden, ffn);
    norm(at + "output.LayerNorm");
  }
  return tensors;
}

std::vector<std::string> bert_files(const fs::path& dir) {
  std::vector<std::string> files = {
      "config.json",           kModules,   kPooling, kLength, kPrompts, "tokenizer.json",
      "tokenizer_config.json", "vocab.txt"};
  if (fs::exists(dir / "model.safetensors") || !fs::exists(dir / kShards)) {
    files.push_back("model.safetensors");
  } else {
    files.push_back(kShards);
    for (const auto& entry : fs::directory_iterator(dir)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("model-") && name.ends_with(".safetensors")) files.push_back(name);
    }
  }
  std::erase_if(files, [&](const std::string& file) { return !fs::exists(dir / file); });
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace podium::text
