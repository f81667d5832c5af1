#include "podium/train/qwen3.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "podium/base/error.h"
#include "podium/base/finite.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/runtime/checkpoint.h"
#include "podium/train/checkpoint.h"

namespace podium::train {
namespace {

using rerank::ModelSpec;
using torch::Tensor;

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Tensor initial(const rerank::TensorSpec& tensor, const ModelSpec& spec, uint64_t seed) {
  if (tensor.name == "podium.choice.scale") {
    Tensor scale = torch::zeros(tensor.shape);
    scale[0] = 1;
    return scale;
  }
  if (tensor.name == "podium.choice.key.weight" ||
      tensor.name.starts_with("podium.choice.likeness.") || tensor.name == "podium.choice.stands") {
    return torch::zeros(tensor.shape);
  }
  if (tensor.shape.size() == 1) return torch::ones(tensor.shape);
  Tensor weight = torch::empty(tensor.shape);
  Rng rng = Rng(seed).fork(tensor.name);
  const bool residual =
      ends_with(tensor.name, "o_proj.weight") || ends_with(tensor.name, "down_proj.weight");
  const double scale = 0.02 / (residual ? std::sqrt(2.0 * spec.layers) : 1.0);
  float* data = weight.data_ptr<float>();
  for (int64_t i = 0; i < weight.numel(); ++i) data[i] = float(rng.normal() * scale);
  return weight;
}

// Of tensor_table, from its `first` on.
std::vector<Tensor> initial_weights(const ModelSpec& spec, size_t first, uint64_t seed) {
  const auto table = rerank::tensor_table(spec);
  std::vector<Tensor> weights;
  for (size_t i = first; i < table.size(); ++i) weights.push_back(initial(table[i], spec, seed));
  return weights;
}

// The module at a dotted path below root, made on the way.
torch::nn::Module& submodule(torch::nn::Module& root, const std::string& path) {
  const size_t dot = path.find('.');
  const std::string name = path.substr(0, dot);
  for (const auto& child : root.named_children()) {
    if (child.key() == name) {
      return dot == std::string::npos ? *child.value()
                                      : submodule(*child.value(), path.substr(dot + 1));
    }
  }
  auto made = root.register_module(name, std::make_shared<torch::nn::Module>(name));
  return dot == std::string::npos ? *made : submodule(*made, path.substr(dot + 1));
}

}  // namespace

Qwen3Impl::Qwen3Impl(const ModelSpec& model, uint64_t seed)
    : Qwen3Impl(model, initial_weights(model, 0, seed)) {}

Qwen3Impl::Qwen3Impl(const ModelSpec& model, std::vector<Tensor> values)
    : spec(model), weights(std::move(values)) {
  const auto table = rerank::tensor_table(spec);
  PODIUM_CHECK(weights.size() == table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    PODIUM_CHECK(weights[i].sizes().vec() == table[i].shape);
    const size_t dot = table[i].name.rfind('.');
    weights[i] = submodule(*this, table[i].name.substr(0, dot))
                     .register_parameter(table[i].name.substr(dot + 1), weights[i]);
  }
  learnt = Learnt(weights);
}

void Qwen3Impl::adapt(const AdaptOptions& options, int64_t first_row, uint64_t seed) {
  recompute = options.recompute;
  bf16 = options.precision == "bf16";
  if (options.freeze) learnt = Learnt(spec, weights, options, first_row, seed);
}

Qwen3 for_slates(const Qwen3& model, int text_width, int numbers, uint64_t seed) {
  ModelSpec spec = model->spec;
  if (spec.reads_slates()) {
    if (spec.text_width == text_width && spec.numbers == numbers) return model;
    throw Error(fmt::format("the policy reads {} numbers and text of {}, the slates have {} and {}",
                            spec.numbers, spec.text_width, numbers, text_width),
                "go on from a policy of the same upstream and encoder, or from mid-training");
  }
  spec.text_width = text_width;
  spec.numbers = numbers;
  spec.choice = spec.hidden / 2;
  std::vector<Tensor> weights;
  for (const Tensor& weight : model->weights) weights.push_back(weight.detach().clone());
  for (Tensor& weight : initial_weights(spec, weights.size(), seed)) weights.push_back(weight);
  return Qwen3(spec, std::move(weights));
}

runtime::Engine engine_over(const Qwen3Impl& model, const runtime::EngineOptions& options) {
  runtime::WeightMap weights;
  const auto table = rerank::tensor_table(model.spec);
  for (size_t i = 0; i < table.size(); ++i) {
    const Tensor& w = model.weights[i];
    PODIUM_CHECK(w.is_contiguous());
    weights[table[i].name] = {w.data_ptr<float>(), size_t(w.numel())};
  }
  return {model.spec, weights, options};
}

void save_policy(const fs::path& dir, const Qwen3Impl& model, const text::Tokenizer& tokenizer) {
  Json config = rerank::to_config_json(model.spec);
  const text::TokenId end = tokenizer.added("<|im_end|>"), pad = tokenizer.added("<|endoftext|>");
  config["eos_token_id"] = end;
  config["pad_token_id"] = pad;
  write_json_atomic(dir / "config.json", config);
  write_json_atomic(dir / "generation_config.json",
                    {{"eos_token_id", end}, {"pad_token_id", pad}, {"do_sample", false}});
  save_weights(dir / "model.safetensors", model, {{"format", "pt"}});
  tokenizer.save(dir / "tokenizer.json");
}

Qwen3 load_policy(const fs::path& path) {
  const runtime::Checkpoint checkpoint = runtime::read_checkpoint(path);
  std::vector<Tensor> weights;
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(checkpoint.spec)) {
    const std::span<const float> values = checkpoint.tensors.find(tensor.name)->second;
    if (!all_finite(values)) {
      throw Error(fmt::format("tensor {} holds numbers that are not finite", tensor.name),
                  "use an undamaged checkpoint, or train the model again", path.string());
    }
    weights.push_back(torch::empty(tensor.shape));
    std::memcpy(weights.back().data_ptr(), values.data(), values.size_bytes());
  }
  return Qwen3(checkpoint.spec, std::move(weights));
}

}  // namespace podium::train
