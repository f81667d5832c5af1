#include "podium/train/qwen3.h"

#include <ATen/CPUGeneratorImpl.h>
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

// Tensors a layer, as tensor_table lists them; Llama has no norms of heads.
enum LayerTensor {
  kInputNorm,
  kQ,
  kK,
  kV,
  kO,
  kQNorm,
  kKNorm,
  kPostNorm,
  kGate,
  kUp,
  kDown,
  kLayer
};
constexpr size_t kHeadNorms = 2;  // kQNorm, kKNorm

size_t layer_tensors(const ModelSpec& spec) { return kLayer - (spec.head_norms ? 0 : kHeadNorms); }

// The weights of one layer.
class LayerWeights {
 public:
  LayerWeights(const ModelSpec& spec, const std::vector<Tensor>& weights, int layer)
      : first_(weights.data() + 1 + size_t(layer) * layer_tensors(spec)),
        head_norms_(spec.head_norms) {}

  const Tensor& operator[](LayerTensor which) const {
    return first_[size_t(which) - (which > kKNorm && !head_norms_ ? kHeadNorms : 0)];
  }

 private:
  const Tensor* first_;
  bool head_norms_;
};

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Tensor initial(const rerank::TensorSpec& tensor, const ModelSpec& spec, uint64_t seed) {
  if (tensor.name == "podium.choice.scale") {
    Tensor scale = torch::zeros(tensor.shape);
    scale[0] = 1;
    return scale;
  }
  if (tensor.shape.size() == 1) return torch::ones(tensor.shape);
  if (tensor.name == "podium.choice.key.weight") return torch::zeros(tensor.shape);
  Tensor weight = torch::empty(tensor.shape);
  Rng rng = Rng(seed).fork(tensor.name);
  const bool residual =
      ends_with(tensor.name, "o_proj.weight") || ends_with(tensor.name, "down_proj.weight");
  const double scale = 0.02 / (residual ? std::sqrt(2.0 * spec.layers) : 1.0);
  float* data = weight.data_ptr<float>();
  for (int64_t i = 0; i < weight.numel(); ++i) data[i] = float(rng.normal() * scale);
  return weight;
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

struct Rotation {
  Tensor cosine, sine;  // [n, head_dim / 2]

  Rotation to(torch::Device device) const { return {cosine.to(device), sine.to(device)}; }
};

Rotation rotation(const ModelSpec& spec, const std::vector<int64_t>& positions) {
  const int64_t half = spec.head_dim / 2, n = int64_t(positions.size());
  Rotation r{torch::empty({n, half}), torch::empty({n, half})};
  const std::vector<double> frequency = spec.rope.frequencies(spec.head_dim);
  float *c = r.cosine.data_ptr<float>(), *s = r.sine.data_ptr<float>();
  for (int64_t t = 0; t < n; ++t) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = double(positions[t]) * frequency[i];
      *c++ = float(std::cos(angle));
      *s++ = float(std::sin(angle));
    }
  }
  return r;
}

// norm: kQNorm or kKNorm, where the model has them.
Tensor heads_of(const Tensor& x, const LayerWeights& w, LayerTensor norm, const ModelSpec& spec,
                const Rotation& r) {
  const int64_t n = x.size(0), heads = x.size(1) / spec.head_dim;
  Tensor rows = x.view({n * heads, spec.head_dim});
  if (spec.head_norms) rows = rms_norm(rows, w[norm], spec.norm_eps);
  return rotate(rows.view({n, heads, spec.head_dim}), r.cosine, r.sine);
}

// Leaves a share of a tensor's values out, the others scaled up so that the mean stays.
class Dropper {
 public:
  explicit Dropper(const Dropout& dropout)
      : share_(dropout.share), source_(at::make_generator<at::CPUGeneratorImpl>(dropout.seed)) {}

  Tensor operator()(const Tensor& x) {
    if (share_ == 0) return x;
    return x *
           torch::empty(x.sizes()).bernoulli_(1 - share_, source_).div_(1 - share_).to(x.device());
  }

 private:
  double share_;
  at::Generator source_;
};

// h: x after the layer's first norm.
Tensor layer_forward(const ModelSpec& spec, const LayerWeights& w, const Tensor& x, const Tensor& h,
                     const Rotation& r, const std::vector<Segment>& segments, Dropper& drop) {
  const int64_t n = x.size(0);
  const Tensor q = heads_of(torch::mm(h, w[kQ].t()), w, kQNorm, spec, r);
  const Tensor k = heads_of(torch::mm(h, w[kK].t()), w, kKNorm, spec, r);
  const Tensor v = torch::mm(h, w[kV].t()).view({n, spec.kv_heads, spec.head_dim});
  const Tensor attended = packed_attention(q, k, v, segments).view({n, spec.heads * spec.head_dim});
  const Tensor y = x + drop(torch::mm(attended, w[kO].t()));
  const Tensor f = rms_norm(y, w[kPostNorm], spec.norm_eps);
  const Tensor inner = torch::silu(torch::mm(f, w[kGate].t())) * torch::mm(f, w[kUp].t());
  return y + drop(torch::mm(inner, w[kDown].t()));
}

// [number_rows, F]
Tensor numbers_of(const ModelSpec& spec, const Packed& batch) {
  return torch::tensor(batch.numbers).view({int64_t(batch.number_rows.size()), spec.numbers});
}

// States::given.
Tensor given_of(const ModelSpec& spec, const std::vector<Tensor>& weights, const Packed& batch) {
  const Tensor scale = slate_weights(spec, weights).scale;
  if (!scale.defined()) return {};
  const auto count = int64_t(rerank::kScores);
  const auto device = scale.device();
  Tensor given = torch::zeros({int64_t(batch.tokens.size())}, device);
  if (!batch.score_rows.empty()) {
    const Tensor scores =
        torch::tensor(batch.scores).view({int64_t(batch.score_rows.size()), count}).to(device);
    given = given.index_add(0, longs(batch.score_rows, device),
                            scores.matmul(scale.slice(0, 0, count)));
  }
  if (!batch.number_rows.empty() && spec.numbers > 0) {
    given = given.index_add(0, longs(batch.number_rows, device),
                            numbers_of(spec, batch).to(device).matmul(scale.slice(0, count)));
  }
  return given;
}

// What the first layer reads, [n, hidden].
Tensor embedded(const ModelSpec& spec, const std::vector<Tensor>& weights, const Packed& batch,
                const Tensor& texts) {
  const torch::Device device = weights.front().device();
  const auto there = [device](const std::vector<int64_t>& values) { return longs(values, device); };
  const auto embed = [&](const std::vector<int64_t>& tokens) {
    return torch::embedding(weights[0], there(tokens).clamp_min(0));  // a text's is replaced
  };
  const SlateWeights own = slate_weights(spec, weights);
  Tensor x = embed(batch.tokens);
  if (!batch.text_rows.empty()) {
    PODIUM_CHECK(texts.defined() && own.text.defined());
    const Tensor told = texts.index_select(0, there(batch.text_items));
    x = x.index_copy(0, there(batch.text_rows), told.matmul(own.text.t()));
  }
  if (!batch.added_rows.empty()) {
    x = x.index_add(0, there(batch.added_rows), embed(batch.added_tokens));
  }
  if (!batch.number_rows.empty() && own.numbers.defined()) {
    x = x.index_add(0, there(batch.number_rows),
                    numbers_of(spec, batch).to(device).matmul(own.numbers.t()));
  }
  return x;
}

}  // namespace

Qwen3Impl::Qwen3Impl(const ModelSpec& model, uint64_t seed) : spec(model) {
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(spec)) {
    const size_t dot = tensor.name.rfind('.');
    weights.push_back(
        submodule(*this, tensor.name.substr(0, dot))
            .register_parameter(tensor.name.substr(dot + 1), initial(tensor, spec, seed)));
  }
}

States states_of(const ModelSpec& spec, const std::vector<Tensor>& weights, const Packed& batch,
                 const Tensor& texts) {
  PODIUM_CHECK(weights.size() == rerank::tensor_table(spec).size() &&
               batch.tokens.size() == batch.positions.size());
  const Rotation r = rotation(spec, batch.positions).to(weights.front().device());
  Dropper drop(batch.dropout);
  Tensor x = drop(embedded(spec, weights, batch, texts)), h;
  for (int layer = 0; layer < spec.layers; ++layer) {
    const LayerWeights w(spec, weights, layer);
    h = rms_norm(x, w[kInputNorm], spec.norm_eps);
    x = layer_forward(spec, w, x, h, r, batch.segments, drop);
  }
  return {rms_norm(x, weights[1 + size_t(spec.layers) * layer_tensors(spec)], spec.norm_eps), h,
          given_of(spec, weights, batch)};
}

SlateWeights slate_weights(const ModelSpec& spec, const std::vector<Tensor>& weights) {
  SlateWeights found;
  if (!spec.reads_slates()) return found;
  size_t at = weights.size();
  found.scale = weights[--at];
  found.key = weights[--at];
  found.query = weights[--at];
  if (spec.numbers > 0) found.numbers = weights[--at];
  if (spec.text_width > 0) found.text = weights[--at];
  return found;
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
  Qwen3 grown(spec, seed);
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < model->weights.size(); ++i) grown->weights[i].copy_(model->weights[i]);
  return grown;
}

const Tensor& output_embedding(const ModelSpec& spec, const std::vector<Tensor>& weights) {
  if (spec.tied) return weights.front();
  return weights[2 + size_t(spec.layers) * layer_tensors(spec)];
}

runtime::Engine engine_over(const Qwen3Impl& model) {
  runtime::WeightMap weights;
  const auto table = rerank::tensor_table(model.spec);
  for (size_t i = 0; i < table.size(); ++i) {
    const Tensor& w = model.weights[i];
    PODIUM_CHECK(w.is_contiguous());
    weights[table[i].name] = {w.data_ptr<float>(), size_t(w.numel())};
  }
  return {model.spec, weights};
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

Qwen3 load_policy(const fs::path& dir) {
  const runtime::Checkpoint checkpoint = runtime::read_checkpoint(dir);
  Qwen3 model(checkpoint.spec, 0);
  const auto table = rerank::tensor_table(checkpoint.spec);
  for (size_t i = 0; i < table.size(); ++i) {
    const std::span<const float> values = checkpoint.tensors.find(table[i].name)->second;
    if (!all_finite(values)) {
      throw Error(fmt::format("tensor {} holds numbers that are not finite", table[i].name),
                  "train the model again", dir.string());
    }
    std::memcpy(model->weights[i].data_ptr(), values.data(), values.size_bytes());
  }
  return model;
}

}  // namespace podium::train
