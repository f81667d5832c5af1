#include "podium/train/states.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "podium/base/error.h"

namespace podium::train {
namespace {

using rerank::ModelSpec;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

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
  // first: of layer_tensors, which must outlive it. bf16: as Packed.
  LayerWeights(const ModelSpec& spec, const Tensor* first, bool bf16)
      : first_(first), head_norms_(spec.head_norms), bf16_(bf16) {}

  const Tensor& operator[](LayerTensor which) const {
    return first_[size_t(which) - (which > kKNorm && !head_norms_ ? kHeadNorms : 0)];
  }

  // x [n, in] times a matrix [out, in]: [n, out].
  Tensor times(const Tensor& x, LayerTensor matrix) const {
    const Tensor& w = (*this)[matrix];
    if (!bf16_) return torch::mm(x, w.t());
    return torch::mm(x.to(torch::kBFloat16), w.to(torch::kBFloat16).t()).to(torch::kFloat);
  }

 private:
  const Tensor* first_;
  bool head_norms_, bf16_;
};

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

  // Draws what this one would from here on. (LibTorch 1.13's Generator::clone never frees.)
  Dropper fork() const {
    Dropper copy = *this;
    copy.source_ = at::make_generator<at::CPUGeneratorImpl>();
    copy.source_.set_state(source_.get_state());
    return copy;
  }

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
  const Tensor q = heads_of(w.times(h, kQ), w, kQNorm, spec, r);
  const Tensor k = heads_of(w.times(h, kK), w, kKNorm, spec, r);
  const Tensor v = w.times(h, kV).view({n, spec.kv_heads, spec.head_dim});
  const Tensor attended = packed_attention(q, k, v, segments).view({n, spec.heads * spec.head_dim});
  const Tensor y = x + drop(w.times(attended, kO));
  const Tensor f = rms_norm(y, w[kPostNorm], spec.norm_eps);
  const Tensor inner = torch::silu(w.times(f, kGate)) * w.times(f, kUp);
  return y + drop(w.times(inner, kDown));
}

// What a layer reads beside tensors that may have gradients.
struct LayerJob : torch::CustomClassHolder {
  LayerJob(ModelSpec s, Rotation r, const Packed& batch, Dropper drop)
      : spec(std::move(s)),
        turn(std::move(r)),
        segments(batch.segments),
        bf16(batch.bf16),
        before(drop.fork()),
        after(drop) {}

  ModelSpec spec;
  Rotation turn;
  std::vector<Segment> segments;
  bool bf16;
  Dropper before, after;  // after shares the caller's source, which the first pass moves on
};

// layer_forward, of which nothing is kept but what it reads: the backward pass goes through it
// again (1604.06174).
class RecomputedLayer : public torch::autograd::Function<RecomputedLayer> {
 public:
  // read: x, h, then the layer's weights.
  static Tensor forward(AutogradContext* context, at::TensorList read,
                        const c10::intrusive_ptr<LayerJob>& job) {
    context->save_for_backward(read.vec());
    context->saved_data["job"] = c10::IValue::make_capsule(job);
    return pass(*job, read.data(), job->after);
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    constexpr bool kUnusedAllowed = true;  // the first norm's weight
    tensor_list read, wanted;
    for (const Tensor& saved : context->get_saved_variables()) {
      read.push_back(saved.detach().requires_grad_(saved.requires_grad()));
      if (saved.requires_grad()) wanted.push_back(read.back());
    }
    const auto capsule = context->saved_data["job"].toCapsule();
    const torch::AutoGradMode with_gradients(true);
    const auto& job = static_cast<const LayerJob&>(*capsule);
    Dropper again = job.before.fork();
    const Tensor y = pass(job, read.data(), again);
    const tensor_list found =
        torch::autograd::grad({y}, wanted, {grads[0]}, {}, false, kUnusedAllowed);
    tensor_list result;
    size_t next = 0;
    for (const Tensor& one : read) result.push_back(one.requires_grad() ? found[next++] : Tensor());
    result.emplace_back();  // of the job
    return result;
  }

 private:
  static Tensor pass(const LayerJob& job, const Tensor* read, Dropper& drop) {
    return layer_forward(job.spec, LayerWeights(job.spec, read + 2, job.bf16), read[0], read[1],
                         job.turn, job.segments, drop);
  }
};

Tensor recomputed_layer(const ModelSpec& spec, const Tensor* weights, const Tensor& x,
                        const Tensor& h, const Rotation& r, const Packed& batch, Dropper& drop) {
  std::vector<Tensor> read = {x, h};
  read.insert(read.end(), weights, weights + layer_tensors(spec));
  return RecomputedLayer::apply(at::TensorList(read),
                                c10::make_intrusive<LayerJob>(spec, r, batch, drop));
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
    return torch::embedding(weights[0], there(tokens));
  };
  const SlateWeights own = slate_weights(spec, weights);
  Tensor x = embed(batch.tokens);
  if (!batch.text_rows.empty()) {
    PODIUM_CHECK(texts.defined() && own.text.defined());
    const Tensor told = texts.index_select(0, there(batch.text_items));
    x = x.index_add(0, there(batch.text_rows), told.matmul(own.text.t()));
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

States states_of(const ModelSpec& spec, const std::vector<Tensor>& weights, const Packed& batch,
                 const Tensor& texts) {
  PODIUM_CHECK(weights.size() == rerank::tensor_table(spec).size() &&
               batch.tokens.size() == batch.positions.size());
  const Rotation r = rotation(spec, batch.positions).to(weights.front().device());
  Dropper drop(batch.dropout);
  Tensor x = drop(embedded(spec, weights, batch, texts)), h;
  for (int layer = 0; layer < spec.layers; ++layer) {
    const Tensor* first = weights.data() + 1 + size_t(layer) * layer_tensors(spec);
    const LayerWeights w(spec, first, batch.bf16);
    h = rms_norm(x, w[kInputNorm], spec.norm_eps);
    x = batch.recompute ? recomputed_layer(spec, first, x, h, r, batch, drop)
                        : layer_forward(spec, w, x, h, r, batch.segments, drop);
  }
  return {rms_norm(x, weights[1 + size_t(spec.layers) * layer_tensors(spec)], spec.norm_eps), h,
          given_of(spec, weights, batch)};
}

SlateWeights slate_weights(const ModelSpec& spec, const std::vector<Tensor>& weights) {
  SlateWeights found;
  if (!spec.reads_slates()) return found;
  size_t at = weights.size();
  found.stands = weights[--at];
  found.likeness_bias = weights[--at];
  found.likeness_user = weights[--at];
  found.scale = weights[--at];
  found.key = weights[--at];
  found.query = weights[--at];
  if (spec.numbers > 0) found.numbers = weights[--at];
  if (spec.text_width > 0) found.text = weights[--at];
  return found;
}

const Tensor& output_embedding(const ModelSpec& spec, const std::vector<Tensor>& weights) {
  if (spec.tied) return weights.front();
  return weights[2 + size_t(spec.layers) * layer_tensors(spec)];
}

}  // namespace podium::train
