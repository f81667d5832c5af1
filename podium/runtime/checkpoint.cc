#include "podium/runtime/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <type_traits>

#include "podium/artifact/float_tensor.h"
#include "podium/artifact/gguf.h"
#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::runtime {
namespace {

// Whether a tensor that podium does not read belongs to the model, so that leaving it out would
// change the numbers: a bias, a norm, an adapter, a layer too many.
bool would_matter(std::string_view name) {
  const bool weight = name.ends_with(".weight") || name.ends_with(".bias");
  for (const std::string_view part : {"model.", "lm_head.", "blk.", "output", "token_embd"}) {
    if (name.starts_with(part)) return weight;
  }
  return false;
}

// tensors: of the file, by its own names; expected: those that the configuration asks for.
template <class Tensors>
void check_nothing_is_left_out(const Tensors& tensors, const std::set<std::string>& expected,
                               const fs::path& path) {
  for (const auto& [name, tensor] : tensors) {
    if (expected.contains(name) || !would_matter(name)) continue;
    throw Error(fmt::format("tensor {} is not part of the configured model, which would compute "
                            "something else without it",
                            name),
                "use a Qwen3 or Llama checkpoint without biases or adapters, with its own "
                "configuration",
                path.string());
  }
}

// Without a word about the output embedding it is the input's, unless the file has one.
Json config_of(const fs::path& path, const artifact::TensorSet& files) {
  Json config = read_json(path);
  if (config.is_object() &&
      (!config.contains("tie_word_embeddings") || config["tie_word_embeddings"].is_null())) {
    config["tie_word_embeddings"] = !files.has("lm_head.weight");
  }
  return config;
}

// A tied model may hold its output embedding a second time; another one than the input's is a
// contradiction.
void check_tied_head(const artifact::TensorSet& files, const fs::path& path) {
  const artifact::TensorView& head = files.tensor("lm_head.weight");
  const artifact::TensorView& embedding = files.tensor("model.embed_tokens.weight");
  if (head.type == embedding.type && std::ranges::equal(head.bytes, embedding.bytes)) return;
  throw Error("lm_head.weight is not the input embedding, but tie_word_embeddings says so",
              "set tie_word_embeddings to false if the model has a head of its own", path.string());
}

Checkpoint read_directory(const fs::path& dir) {
  const fs::path config_path = dir / "config.json";
  Checkpoint result;
  artifact::TensorSet& files = result.files = artifact::TensorSet(dir);
  result.spec = rerank::from_config_json(config_of(config_path, files), config_path.string());
  std::set<std::string> expected;
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(result.spec)) {
    const artifact::TensorView& view = files.tensor(tensor.name);
    artifact::check_shape(tensor.name, view.shape, tensor.shape, dir);
    expected.insert(tensor.name);
    std::vector<float> converted;
    std::span<const float> values = artifact::floats_of(view, tensor.name, dir, converted);
    if (!converted.empty()) values = result.converted[tensor.name] = std::move(converted);
    result.tensors[tensor.name] = values;
  }
  if (result.spec.tied && files.has("lm_head.weight")) {
    check_tied_head(files, dir);
    expected.insert("lm_head.weight");
  }
  check_nothing_is_left_out(files.tensors(), expected, dir);
  return result;
}

// Reads a GGUF file's metadata as a Hugging Face configuration, whose checks then apply.
class GgufConfig {
 public:
  GgufConfig(const artifact::GgufFile& file, const fs::path& path)
      : file_(file), path_(path), model_(file.get<std::string_view>("general.architecture")) {}

  rerank::ModelSpec spec() {
    Json config = {{"model_type", model_},
                   {"hidden_size", whole("embedding_length")},
                   {"num_hidden_layers", whole("block_count")},
                   {"num_attention_heads", whole("attention.head_count")},
                   {"intermediate_size", whole("feed_forward_length")},
                   {"max_position_embeddings", whole("context_length")},
                   {"rms_norm_eps", file_.get<double>(key("attention.layer_norm_rms_epsilon"))},
                   {"tie_word_embeddings", !file_.has("output.weight")}};
    config["num_key_value_heads"] =
        whole_if_there("attention.head_count_kv").value_or(config["num_attention_heads"]);
    if (const auto dim = whole_if_there("attention.key_length")) config["head_dim"] = *dim;
    const auto& embedding = file_.tensor("token_embd.weight").shape;
    if (embedding.size() != 2) refuse("token_embd.weight is not a matrix");
    config["vocab_size"] = embedding.front();
    add_rope(config);
    const rerank::ModelSpec spec = rerank::from_config_json(config, path_.string());
    expect("attention.value_length", spec.head_dim);
    expect("rope.dimension_count", spec.head_dim);
    expect("vocab_size", spec.vocab);
    check_known();
    return spec;
  }

 private:
  [[noreturn]] void refuse(std::string message) const {
    throw Error(std::move(message),
                "use a GGUF file of a plain Qwen3 or Llama model, or its Hugging Face directory",
                path_.string());
  }

  std::string key(std::string_view name) const { return fmt::format("{}.{}", model_, name); }

  int64_t whole(std::string_view name) { return file_.get<int64_t>(seen(name)); }
  std::optional<int64_t> whole_if_there(std::string_view name) {
    return file_.find<int64_t>(seen(name));
  }
  std::optional<double> real_if_there(std::string_view name) {
    return file_.find<double>(seen(name));
  }
  std::string seen(std::string_view name) {
    read_.insert(key(name));
    return key(name);
  }

  void expect(std::string_view name, int64_t wanted) {
    const auto value = whole_if_there(name);
    if (value && *value != wanted) {
      refuse(fmt::format("{} is {}, only {} is supported here", key(name), *value, wanted));
    }
  }

  // As llama.cpp reads it: a factor without a type is linear, and 0 is none.
  void add_rope(Json& config) {
    config["rope_theta"] = real_if_there("rope.freq_base").value_or(10000.0);
    if (file_.has("rope_freqs.weight")) {
      refuse("rope_freqs.weight scales the rotary positions, which is not supported");
    }
    const auto type = file_.find<std::string_view>(seen("rope.scaling.type"));
    const double old = real_if_there("rope.scale_linear").value_or(0);
    double factor = real_if_there("rope.scaling.factor").value_or(old);
    if (factor == 0) factor = 1;
    if (real_if_there("rope.scaling.attn_factor").value_or(1) != 1) {
      refuse(fmt::format("{} is not 1, which is not supported", key("rope.scaling.attn_factor")));
    }
    if (type && *type != "none" && *type != "linear") {
      refuse(fmt::format("{} is {}, only none and linear are supported", key("rope.scaling.type"),
                         *type));
    }
    if (factor != 1 && (!type || *type == "linear")) {
      config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", factor}};
    }
  }

  // Keys of the model beyond those that are read, or that change no result, must be off.
  void check_known() {
    for (const std::string_view harmless :
         {"attention.layer_norm_rms_epsilon", "rope.scaling.original_context_length",
          "rope.scaling.finetuned", "tensor_data_layout"}) {
      seen(harmless);
    }
    for (const auto& [name, value] : file_.metadata()) {
      if (!name.starts_with(model_ + ".") || read_.contains(name) || off(value)) continue;
      refuse(fmt::format("podium does not know what the key {} changes", name));
    }
  }

  static bool off(const artifact::GgufValue& value) {
    const auto is_off = [](const auto& held) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(held)>>) {
        return held == 0;
      } else {
        return false;
      }
    };
    return std::visit(is_off, value);
  }

  const artifact::GgufFile& file_;
  const fs::path& path_;
  std::string model_;
  std::set<std::string, std::less<>> read_;  // keys
};

std::string gguf_name(std::string name) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers", "blk"},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  for (const auto& [from, to] : kNames) {
    const size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

// GGUF stores Llama's query and key heads for rotation of neighbouring rows (2 i, 2 i + 1); here,
// as in Hugging Face's layout, rows i and i + head_dim / 2 rotate together.
void part_rows(std::vector<float>& matrix, const rerank::ModelSpec& spec) {
  const size_t dim = size_t(spec.head_dim), half = dim / 2, hidden = size_t(spec.hidden);
  std::vector<float> head(dim * hidden);
  for (size_t begin = 0; begin < matrix.size(); begin += head.size()) {
    for (size_t row = 0; row < dim; ++row) {
      const size_t to = row / 2 + row % 2 * half;
      std::memcpy(head.data() + to * hidden, matrix.data() + begin + row * hidden,
                  hidden * sizeof(float));
    }
    std::memcpy(matrix.data() + begin, head.data(), head.size() * sizeof(float));
  }
}

Checkpoint read_gguf(const fs::path& path) {
  const artifact::GgufFile file(path);
  Checkpoint result;
  result.spec = GgufConfig(file, path).spec();
  std::set<std::string> expected;
  for (const rerank::TensorSpec& spec : rerank::tensor_table(result.spec)) {
    const artifact::GgufTensor& tensor = file.tensor(gguf_name(spec.name));
    artifact::check_shape(spec.name, tensor.shape, spec.shape, path);
    expected.insert(gguf_name(spec.name));
    std::vector<float>& values = result.converted[spec.name];
    values.resize(size_t(spec.elements()));
    artifact::dequantize(tensor.type, tensor.bytes, values);
    const bool rotated =
        spec.name.ends_with("q_proj.weight") || spec.name.ends_with("k_proj.weight");
    if (rotated && !result.spec.head_norms) part_rows(values, result.spec);
    result.tensors[spec.name] = values;
  }
  check_nothing_is_left_out(file.tensors(), expected, path);
  return result;
}

}  // namespace

std::string checkpoint_identity(const fs::path& path) {
  if (path.extension() == ".gguf") return sha256_file(path);
  std::set<fs::path> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename();
      if (name == "config.json" || name == "tokenizer.json" || name.ends_with(".safetensors")) {
        files.insert(entry.path());
      }
    }
  }
  if (!files.contains(path / "config.json")) {
    throw Error(ErrorKind::kNotFound, "this is no checkpoint: it has no config.json",
                "give the directory of a Qwen3 or Llama model, or a GGUF file", path.string());
  }
  std::string all;
  for (const fs::path& file : files) {
    all += fmt::format("{} {}\n", file.filename().string(), sha256_file(file));
  }
  return sha256(all);
}

Checkpoint read_checkpoint(const fs::path& path) {
  return path.extension() == ".gguf" ? read_gguf(path) : read_directory(path);
}

}  // namespace podium::runtime
