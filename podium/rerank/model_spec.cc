#include "podium/rerank/model_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/base/error.h"
#include "podium/base/json_fields.h"

namespace podium::rerank {
namespace {

// Reads what a config.json of a policy says.
class ConfigReader : public JsonFields {
 public:
  ConfigReader(const Json& config, std::string_view where)
      : JsonFields(config, "the model configuration",
                   "use the config.json of a Qwen3ForCausalLM or LlamaForCausalLM checkpoint",
                   where) {}

  bool head_norms() const {
    const Json& type = field("model_type");
    if (type == "qwen3") return true;
    if (type == "llama") return false;
    fail(fmt::format("model_type is {}, only \"qwen3\" and \"llama\" are supported", shown(type)));
  }

  // Llama's may leave it out: the hidden size is then shared among the heads.
  int head_dim(const ModelSpec& spec) const {
    const bool left_out = find("head_dim") == nullptr;
    if (!left_out || spec.head_norms) return integer("head_dim", 2, 4096);
    if (spec.hidden % spec.heads != 0) fail("hidden_size is no multiple of num_attention_heads");
    return spec.hidden / spec.heads;
  }

  void check_keys() const { check_known(kKnown); }

  void check_architecture(const ModelSpec& spec) const {
    const Json* given = find("architectures");
    if (given == nullptr || given->empty()) return;
    expect("architectures", Json::array({architecture(spec)}));
  }

  // Every token sees all those before it, in every layer.
  void check_attention(const ModelSpec& spec) const {
    expect("use_sliding_window", false);
    const Json* window = find("sliding_window");  // Qwen's is off without the switch above
    if (!spec.head_norms && window != nullptr) {
      fail(fmt::format("sliding_window is {}, only null is supported", shown(*window)));
    }
    const Json* types = find("layer_types");
    if (types == nullptr) return;
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
                                                "podium",
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
};

// What podium-train adds for slates.
void read_slate_fields(const Json& fields, std::string_view where, ModelSpec& spec) {
  const JsonFields reader(fields, "\"podium\" of the model configuration",
                          "use the config.json that podium-train wrote", where);
  static constexpr std::string_view kKnown[] = {"choice", "numbers", "text_width"};
  reader.check_known(kKnown);
  spec.text_width = reader.integer("text_width", 0, 1 << 16);
  spec.numbers = reader.integer("numbers", 0, 1 << 16);
  spec.choice = reader.integer("choice", 1, 1 << 16);
}

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
  struct Size {
    std::string_view name;
    int hidden, layers, heads, kv_heads, head_dim, ffn;
  };
  constexpr Size kSizes[] = {{"pico", 64, 2, 2, 1, 32, 160},
                             {"nano", 128, 4, 4, 2, 32, 320},
                             {"small", 256, 6, 8, 4, 32, 896},
                             {"base", 512, 8, 8, 4, 64, 1408}};
  for (const Size& s : kSizes) {
    if (s.name != size) continue;
    return {.vocab = vocab,
            .hidden = s.hidden,
            .layers = s.layers,
            .heads = s.heads,
            .kv_heads = s.kv_heads,
            .head_dim = s.head_dim,
            .ffn = s.ffn};
  }
  throw Error(fmt::format("unknown model size \"{}\"", size), "use pico, nano, small or base");
}

std::vector<TensorSpec> tensor_table(const ModelSpec& spec) {
  std::vector<TensorSpec> table;
  table.push_back({std::string(kEmbedding), {spec.vocab, spec.hidden}});
  for (int layer = 0; layer < spec.layers; ++layer) add_layer(spec, layer, table);
  table.push_back({"model.norm.weight", {spec.hidden}});
  if (!spec.tied) table.push_back({std::string(kHead), {spec.vocab, spec.hidden}});
  if (!spec.reads_slates()) return table;
  if (spec.text_width > 0) {
    table.push_back({"podium.text.weight", {spec.hidden, spec.text_width}});
  }
  if (spec.numbers > 0) table.push_back({"podium.numbers.weight", {spec.hidden, spec.numbers}});
  table.push_back({"podium.choice.query.weight", {spec.choice, spec.hidden}});
  table.push_back({"podium.choice.key.weight", {spec.choice, spec.hidden}});
  table.push_back({"podium.choice.scale", {int64_t(kScores) + spec.numbers}});
  table.push_back({"podium.choice.likeness.user", {int64_t(kLikeness), spec.hidden}});
  table.push_back({"podium.choice.likeness.bias", {int64_t(kLikeness)}});
  table.push_back({"podium.choice.stands", {1}});
  return table;
}

Json to_config_json(const ModelSpec& spec) {
  Json json = {{"architectures", {spec.head_norms ? "Qwen3ForCausalLM" : "LlamaForCausalLM"}},
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
  if (spec.reads_slates()) {
    json["podium"] = {
        {"text_width", spec.text_width}, {"numbers", spec.numbers}, {"choice", spec.choice}};
  }
  return json;
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
  if (const Json* added = reader.find("podium")) read_slate_fields(*added, where, spec);
  reader.check_keys();
  return spec;
}

}  // namespace podium::rerank
