#include "podium/runtime/checkpoint.h"

#include <fmt/format.h>

#include <cstring>

#include "podium/artifact/gguf.h"
#include "podium/artifact/half.h"
#include "podium/base/error.h"

namespace podium::runtime {
namespace {

std::vector<float> to_floats(const artifact::TensorView& tensor, std::string_view name,
                             const fs::path& path) {
  using artifact::Dtype;
  const std::byte* from = tensor.bytes.data();
  std::vector<float> values(tensor.bytes.size() / artifact::dtype_size(tensor.dtype));
  if (tensor.dtype == Dtype::kF32) {
    std::memcpy(values.data(), from, tensor.bytes.size());
    return values;
  }
  if (tensor.dtype != Dtype::kBF16 && tensor.dtype != Dtype::kF16) {
    throw Error(fmt::format("tensor {} is not of type F32, BF16 or F16", name),
                "convert the checkpoint", path.string());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + 2 * i, 2);
    values[i] = tensor.dtype == Dtype::kBF16 ? artifact::bf16_to_float(bits)
                                             : artifact::half_to_float(bits);
  }
  return values;
}

bool aligned(const artifact::TensorView& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
}

void check_shape(const rerank::TensorSpec& spec, const std::vector<int64_t>& shape,
                 const fs::path& path) {
  if (shape == spec.shape) return;
  throw Error(fmt::format("tensor {} has shape [{}], the configuration asks for [{}]", spec.name,
                          fmt::join(shape, ", "), fmt::join(spec.shape, ", ")),
              "use the configuration and the weights of one checkpoint", path.string());
}

Checkpoint read_directory(const fs::path& dir) {
  const fs::path config_path = dir / "config.json", path = dir / "model.safetensors";
  Checkpoint result;
  result.spec = rerank::from_config_json(read_json(config_path), config_path.string());
  const artifact::SafetensorsFile& file = result.file.emplace(path);
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(result.spec)) {
    const artifact::TensorView& view = file.tensor(tensor.name);
    check_shape(tensor, view.shape, path);
    if (view.dtype == artifact::Dtype::kF32 && aligned(view)) {
      result.tensors[tensor.name] = file.get<float>(tensor.name);
    } else {
      result.tensors[tensor.name] = result.converted[tensor.name] =
          to_floats(view, tensor.name, path);
    }
  }
  return result;
}

// A GGUF file's metadata as a Hugging Face configuration, whose checks then apply.
rerank::ModelSpec spec_of(const artifact::GgufFile& file, const fs::path& path) {
  const std::string architecture(file.get<std::string_view>("general.architecture"));
  const auto key = [&](const char* name) { return architecture + "." + name; };
  Json config = {{"model_type", architecture},
                 {"hidden_size", file.get<int64_t>(key("embedding_length"))},
                 {"num_hidden_layers", file.get<int64_t>(key("block_count"))},
                 {"num_attention_heads", file.get<int64_t>(key("attention.head_count"))},
                 {"intermediate_size", file.get<int64_t>(key("feed_forward_length"))},
                 {"max_position_embeddings", file.get<int64_t>(key("context_length"))},
                 {"rms_norm_eps", file.get<double>(key("attention.layer_norm_rms_epsilon"))},
                 {"tie_word_embeddings", !file.has("output.weight")}};
  config["num_key_value_heads"] =
      file.find<int64_t>(key("attention.head_count_kv")).value_or(config["num_attention_heads"]);
  config["rope_theta"] = file.find<double>(key("rope.freq_base")).value_or(10000.0);
  if (const auto dim = file.find<int64_t>(key("attention.key_length"))) config["head_dim"] = *dim;
  const auto& shape = file.tensor("token_embd.weight").shape;
  config["vocab_size"] = shape.front();
  if (file.has("rope_freqs.weight")) {
    throw Error("the model scales its rotary positions, which is not supported",
                "use a checkpoint without rope scaling", path.string());
  }
  return rerank::from_config_json(config, path.string());
}

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
  result.spec = spec_of(file, path);
  for (const rerank::TensorSpec& spec : rerank::tensor_table(result.spec)) {
    const artifact::GgufTensor& tensor = file.tensor(gguf_name(spec.name));
    check_shape(spec, tensor.shape, path);
    std::vector<float>& values = result.converted[spec.name];
    values.resize(size_t(spec.elements()));
    artifact::dequantize(tensor.type, tensor.bytes, values);
    const bool rotated =
        spec.name.ends_with("q_proj.weight") || spec.name.ends_with("k_proj.weight");
    if (rotated && !result.spec.head_norms) part_rows(values, result.spec);
    result.tensors[spec.name] = values;
  }
  return result;
}

}  // namespace

Checkpoint read_checkpoint(const fs::path& path) {
  return path.extension() == ".gguf" ? read_gguf(path) : read_directory(path);
}

}  // namespace podium::runtime
