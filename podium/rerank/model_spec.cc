#include "podium/rerank/model_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

// Reads fields of a config.json with their ranges; every error names the field.
class ConfigReader {
 public:
  ConfigReader(const Json& config, std::string_view where) : config_(config), where_(where) {
    if (!config.is_object()) fail("the model configuration is not a JSON object");
  }

  [[noreturn]] void fail(std::string message) const {
    throw Error(std::move(message),
                "use the config.json of a Qwen3ForCausalLM or LlamaForCausalLM checkpoint", where_);
  }

  int integer(const char* name, int64_t low, int64_t high) const {
    const Json& value = field(name);
    if (!value.is_number_integer()) fail(fmt::format("{} is not a whole number", name));
    const auto number = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)
                            ? INT64_MAX
                            : value.get<int64_t>();
    if (number < low || number > high) {
      fail(fmt::format("{} is {}, outside {} .. {}", name, number, low, high));
    }
    return int(number);
  }

  double real(const Json& value, const char* name, double low, double high) const {
    if (!value.is_number()) fail(fmt::format("{} is not a number", name));
    const double number = value.get<double>();
    if (!(number >= low && number <= high)) {
      fail(fmt::format("{} is {}, outside {} .. {}", name, number, low, high));
    }
    return number;
  }
  double real(const char* name, double low, double high) const {
    return real(field(name), name, low, high);
  }

  // An optional field that must, when there, hold this value: podium computes nothing else.
  void expect(const char* name, const Json& wanted) const {
    const auto at = config_.find(name);
    if (at == config_.end() || at->is_null() || *at == wanted) return;
    fail(fmt::format("{} is {}, only {} is supported", name, shown(*at), wanted.dump()));
  }

  bool boolean(const char* name, bool fallback) const {
    const auto at = config_.find(name);
    if (at == config_.end() || at->is_null()) return fallback;
    if (!at->is_boolean()) fail(fmt::format("{} is not true or false", name));
    return at->get<bool>();
  }

  bool head_norms() const {
    const Json& type = field("model_type");
    if (type == "qwen3") return true;
    if (type == "llama") return false;
    fail(fmt::format("model_type is {}, only \"qwen3\" and \"llama\" are supported", shown(type)));
  }

  // Llama's may leave it out: the hidden size is then shared among the heads.
  int head_dim(const ModelSpec& spec) const {
    const auto at = config_.find("head_dim");
    const bool left_out = at == config_.end() || at->is_null();
    if (!left_out || spec.head_norms) return integer("head_dim", 2, 4096);
    if (spec.hidden % spec.heads != 0) fail("hidden_size is no multiple of num_attention_heads");
    return spec.hidden / spec.heads;
  }

  // Keys beyond those that this reader reads or that change no result.
  void check_known() const {
    for (const auto& [key, value] : config_.items()) {
      const bool off = value.is_null() || value == false || value == "" ||
                       (value.is_structured() && value.empty());
      if (off || std::binary_search(std::begin(kKnown), std::end(kKnown), key)) continue;
      throw Error(fmt::format("{} is {}: podium does not know what it changes", key, shown(value)),
                  "use a checkpoint without it; a key that changes nothing may be deleted", where_);
    }
  }

  void check_architecture(const ModelSpec& spec) const {
    const auto at = config_.find("architectures");
    if (at == config_.end() || at->is_null() || at->empty()) return;
    const Json wanted = Json::array({architecture(spec)});
    if (*at != wanted) {
      fail(fmt::format("architectures is {}, only {} is supported", shown(*at), wanted.dump()));
    }
  }

  // Every token sees all those before it, in every layer.
  void check_attention(const ModelSpec& spec) const {
    expect("use_sliding_window", false);
    const auto window = config_.find("sliding_window");  // Qwen's is off without the switch above
    if (!spec.head_norms && window != config_.end() && !window->is_null()) {
      fail(fmt::format("sliding_window is {}, only null is supported", shown(*window)));
    }
    const auto types = config_.find("layer_types");
    if (types == config_.end() || types->is_null()) return;
    if (*types != Json(std::vector<std::string>(size_t(spec.layers), "full_attention"))) {
      fail(
          fmt::format("layer_types is {}, only \"full_attention\" for each of the {} layers is "
                      "supported",
                      shown(*types), spec.layers));
    }
  }

  static const char* architecture(const ModelSpec& spec) {
    return spec.head_norms ? "Qwen3ForCausalLM" : "LlamaForCausalLM";
  }

 private:
  // Sorted. Read here or in rope.h, or of use to training, sampling and libraries only.
  static constexpr std::string_view kKnown[] = {"_attn_implementation",
                                                "_commit_hash",
                                                "_name_or_path",
                                                "architectures",
                                                "attention_bias",
                                                "attention_dropout",
                                                "bos_token_id",
                                                "do_sample",
                                                "dtype",
                                                "eos_token_id",
                                                "head_dim",
                                                "hidden_act",
                                                "hidden_size",
                                                "initializer_range",
                                                "intermediate_size",
                                                "layer_types",
                                                "max_length",
                                                "max_position_embeddings",
                                                "max_window_layers",
                                                "mlp_bias",
                                                "model_type",
                                                "num_attention_heads",
                                                "num_hidden_layers",
                                                "num_key_value_heads",
                                                "pad_token_id",
                                                "partial_rotary_factor",
                                                "pretraining_tp",
                                                "return_dict",
                                                "rms_norm_eps",
                                                "rope_parameters",
                                                "rope_scaling",
                                                "rope_theta",
                                                "sliding_window",
                                                "temperature",
                                                "tie_word_embeddings",
                                                "top_k",
                                                "top_p",
                                                "torch_dtype",
                                                "transformers_version",
                                                "use_cache",
                                                "use_sliding_window",
                                                "vocab_size"};
  static_assert(std::is_sorted(std::begin(kKnown), std::end(kKnown)));

  static std::string shown(const Json& value) {
    std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() > 80 ? text.substr(0, 80) + "..." : text;
  }

  const Json& field(const char* name) const {
    const auto at = config_.find(name);
    if (at == config_.end()) fail(fmt::format("{} is missing", name));
    return *at;
  }

  const Json& config_;
  std::string where_;
};

void add_layer(const ModelSpec& spec, int layer, std::vector<TensorSpec>& table) {
  const std::string at = fmt::format("model.layers.{}.", layer);
  const int64_t hidden = spec.hidden, dim = spec.head_dim, ffn = spec.ffn;
  const int64_t query = spec.heads * dim, key = spec.kv_heads * dim;
  table.push_back({at + "input_layernorm.weight", {hidden}});
  table.push_back({at + "self_attn.q_proj.weight", {query, hidden}});
  table.push_back({at + "self_attn.k_proj.weight", {key, hidden}});
  table.push_back({at + "self_attn.v_proj.weight", {key, hidden}});
  table.push_back({at + "self_attn.o_proj.weight", {hidden, query}});
  if (spec.head_norms) {
    table.push_back({at + "self_attn.q_norm.weight", {dim}});
    table.push_back({at + "self_attn.k_norm.weight", {dim}});
  }
  table.push_back({at + "post_attention_layernorm.weight", {hidden}});
  table.push_back({at + "mlp.gate_proj.weight", {ffn, hidden}});
  table.push_back({at + "mlp.up_proj.weight", {ffn, hidden}});
  table.push_back({at + "mlp.down_proj.weight", {hidden, ffn}});
}

}  // namespace

int64_t TensorSpec::elements() const {
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return n;
}

int64_t ModelSpec::parameters() const {
  int64_t sum = 0;
  for (const TensorSpec& tensor : tensor_table(*this)) sum += tensor.elements();
  return sum;
}

ModelSpec model_spec(std::string_view size, int vocab) {
  ModelSpec spec;
  spec.vocab = vocab;
  if (size == "nano") return spec;
  if (size == "small") {
    spec.hidden = 256;
    spec.layers = 6;
    spec.heads = 8;
    spec.kv_heads = 4;
    spec.ffn = 896;
    return spec;
  }
  if (size == "base") {
    spec.hidden = 512;
    spec.layers = 8;
    spec.heads = 8;
    spec.kv_heads = 4;
    spec.head_dim = 64;
    spec.ffn = 1408;
    return spec;
  }
  throw Error(fmt::format("unknown model size \"{}\"", size), "use nano, small or base");
}

std::vector<TensorSpec> tensor_table(const ModelSpec& spec) {
  std::vector<TensorSpec> table;
  table.push_back({"model.embed_tokens.weight", {spec.vocab, spec.hidden}});
  for (int layer = 0; layer < spec.layers; ++layer) add_layer(spec, layer, table);
  table.push_back({"model.norm.weight", {spec.hidden}});
  if (!spec.tied) table.push_back({"lm_head.weight", {spec.vocab, spec.hidden}});
  return table;
}

Json to_config_json(const ModelSpec& spec) {
  return {{"architectures", {spec.head_norms ? "Qwen3ForCausalLM" : "LlamaForCausalLM"}},
          {"model_type", spec.head_norms ? "qwen3" : "llama"},
          {"vocab_size", spec.vocab},
          {"hidden_size", spec.hidden},
          {"num_hidden_layers", spec.layers},
          {"num_attention_heads", spec.heads},
          {"num_key_value_heads", spec.kv_heads},
          {"head_dim", spec.head_dim},
          {"intermediate_size", spec.ffn},
          {"max_position_embeddings", spec.max_positions},
          {"rope_theta", spec.rope.theta},
          {"rope_scaling", to_json(spec.rope.scaling)},
          {"rms_norm_eps", spec.norm_eps},
          {"tie_word_embeddings", spec.tied},
          {"hidden_act", "silu"},
          {"attention_bias", false},
          {"attention_dropout", 0.0},
          {"use_sliding_window", false},
          {"initializer_range", 0.02},
          {"torch_dtype", "float32"}};
}

ModelSpec from_config_json(const Json& config, std::string_view where) {
  const ConfigReader reader(config, where);
  ModelSpec spec;
  spec.head_norms = reader.head_norms();
  reader.check_architecture(spec);
  reader.expect("hidden_act", "silu");
  reader.expect("attention_bias", false);
  reader.expect("mlp_bias", false);
  reader.expect("partial_rotary_factor", 1);
  spec.vocab = reader.integer("vocab_size", 1, 1 << 21);
  spec.hidden = reader.integer("hidden_size", 1, 1 << 16);
  spec.layers = reader.integer("num_hidden_layers", 1, 1024);
  spec.heads = reader.integer("num_attention_heads", 1, 1024);
  spec.kv_heads = reader.integer("num_key_value_heads", 1, 1024);
  spec.head_dim = reader.head_dim(spec);
  spec.ffn = reader.integer("intermediate_size", 1, 1 << 20);
  spec.max_positions = reader.integer("max_position_embeddings", 1, 1 << 24);
  spec.rope = rope_of(config, where);
  spec.norm_eps = reader.real("rms_norm_eps", 0, 1);
  spec.tied = reader.boolean("tie_word_embeddings", false);
  if (spec.heads % spec.kv_heads != 0) {
    reader.fail("num_attention_heads is no multiple of num_key_value_heads");
  }
  if (spec.head_dim % 2 != 0) reader.fail("head_dim is odd");
  reader.check_attention(spec);
  reader.check_known();
  return spec;
}

}  // namespace podium::rerank
