#include "bench/peers/torch_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace podium::bench {

using torch::Tensor;

namespace {

// Tensors a layer, in the order of rerank::tensor_table.
enum { kInputNorm, kQ, kK, kV, kO, kQNorm, kKNorm, kPostNorm, kGate, kUp, kDown, kLayer };

}  // namespace

TorchCache::TorchCache(const rerank::ModelSpec& spec, int64_t rows, int64_t room)
    : length(size_t(rows), 0) {
  for (int layer = 0; layer < spec.layers; ++layer) {
    for (auto* kind : {&keys, &values}) {
      kind->push_back(torch::zeros({rows, spec.kv_heads, room, spec.head_dim}));
    }
  }
}

TorchCache TorchCache::rows(int64_t begin, int64_t end) const {
  TorchCache some;
  for (const Tensor& k : keys) some.keys.push_back(k.narrow(0, begin, end - begin));
  for (const Tensor& v : values) some.values.push_back(v.narrow(0, begin, end - begin));
  some.length.assign(length.begin() + begin, length.begin() + end);
  return some;
}

struct TorchPolicy::Batch {
  int64_t rows, tokens, total;  // sequences, new tokens of each, the most tokens of one
  Tensor row, position;         // [rows * tokens]
  Tensor cosine, sine;
  Tensor mask;  // [rows, 1, 1, tokens, total]: 0 or -inf

  Tensor last(const Tensor& x) const {  // [rows, dim] of [rows * tokens, dim]
    return x.view({rows, tokens, -1}).select(1, tokens - 1);
  }
};

TorchPolicy::TorchPolicy(train::Qwen3 model) : model_(std::move(model)) {
  const auto& s = spec();
  const Tensor exponent = torch::arange(0, s.head_dim, 2, torch::kFloat64) / s.head_dim;
  const Tensor angle = torch::outer(torch::arange(s.max_positions, torch::kFloat64),
                                    torch::pow(s.rope.theta, -exponent));
  cosine_ = angle.cos().to(torch::kFloat32);
  sine_ = angle.sin().to(torch::kFloat32);
}

// Normed and rotated: [rows * tokens, heads, head_dim].
Tensor TorchPolicy::heads(const Tensor& x, const Tensor& norm, const Batch& batch) const {
  const auto& s = spec();
  const Tensor normed = train::rms_norm(x.view({-1, s.head_dim}), norm, s.norm_eps);
  return train::rotate(normed.view({x.size(0), -1, s.head_dim}), batch.cosine, batch.sine);
}

Tensor TorchPolicy::attend(const Tensor& h, int layer, const Batch& batch,
                           TorchCache& cache) const {
  const auto& s = spec();
  const Tensor* w = model_->weights.data() + 1 + size_t(layer) * kLayer;
  const int64_t group = s.heads / s.kv_heads, dim = s.head_dim;
  const Tensor q = heads(torch::mm(h, w[kQ].t()), w[kQNorm], batch);
  const Tensor k = heads(torch::mm(h, w[kK].t()), w[kKNorm], batch);
  const Tensor v = torch::mm(h, w[kV].t()).view({-1, s.kv_heads, dim});
  Tensor &keys = cache.keys[size_t(layer)], &values = cache.values[size_t(layer)];
  if (batch.rows == 1) {
    keys[0].narrow(1, cache.length[0], batch.tokens).copy_(k.transpose(0, 1));
    values[0].narrow(1, cache.length[0], batch.tokens).copy_(v.transpose(0, 1));
  } else {
    using torch::indexing::Slice;
    keys.index_put_({batch.row, Slice(), batch.position}, k);
    values.index_put_({batch.row, Slice(), batch.position}, v);
  }
  const Tensor queries = (q * (1 / std::sqrt(double(dim))))
                             .view({batch.rows, batch.tokens, s.kv_heads, group, dim})
                             .permute({0, 2, 3, 1, 4})
                             .reshape({batch.rows * s.kv_heads, group * batch.tokens, dim});
  const Tensor seen_keys = keys.narrow(2, 0, batch.total).flatten(0, 1);
  const Tensor seen_values = values.narrow(2, 0, batch.total).flatten(0, 1);
  Tensor scores = torch::bmm(queries, seen_keys.transpose(1, 2));
  if (batch.mask.defined()) {
    scores.view({batch.rows, s.kv_heads, group, batch.tokens, batch.total}).add_(batch.mask);
  }
  return torch::bmm(scores.softmax(-1), seen_values)
      .view({batch.rows, s.kv_heads, group, batch.tokens, dim})
      .permute({0, 3, 1, 2, 4})
      .reshape({batch.rows * batch.tokens, s.heads * dim});
}

Tensor TorchPolicy::read(const std::vector<int64_t>& tokens, TorchCache& cache,
                         const TorchBlocks* blocks) const {
  const auto& s = spec();
  Batch batch;
  batch.rows = int64_t(cache.length.size());
  batch.tokens = int64_t(tokens.size()) / batch.rows;
  const auto [least, most] = std::minmax_element(cache.length.begin(), cache.length.end());
  batch.total = *most + batch.tokens;
  const Tensor lengths = torch::tensor(cache.length, torch::kLong);
  const Tensor positions = lengths.unsqueeze(1) + torch::arange(batch.tokens);  // [rows, tokens]
  batch.position = positions.flatten();
  batch.row = torch::arange(batch.rows).repeat_interleave(batch.tokens);
  const Tensor rotation = blocks ? torch::tensor(blocks->positions, torch::kLong) : batch.position;
  batch.cosine = cosine_.index_select(0, rotation);
  batch.sine = sine_.index_select(0, rotation);
  if (blocks) {
    batch.mask = blocks->mask;
  } else if (batch.tokens > 1 || *least != *most) {
    const Tensor hidden = torch::arange(batch.total).view({1, 1, -1}) > positions.unsqueeze(2);
    batch.mask = torch::zeros(hidden.sizes())
                     .masked_fill_(hidden, -std::numeric_limits<float>::infinity())
                     .view({batch.rows, 1, 1, batch.tokens, batch.total});
  }
  Tensor x = model_->weights[0].index_select(0, torch::tensor(tokens, torch::kLong));
  if (blocks) x.add_(blocks->added);
  for (int layer = 0; layer < s.layers; ++layer) {
    const Tensor* w = model_->weights.data() + 1 + size_t(layer) * kLayer;
    Tensor attended = attend(train::rms_norm(x, w[kInputNorm], s.norm_eps), layer, batch, cache);
    if (layer + 1 == s.layers) {
      attended = batch.last(attended);
      x = batch.last(x);
    }
    x = torch::addmm(x, attended, w[kO].t());
    const Tensor h = train::rms_norm(x, w[kPostNorm], s.norm_eps);
    x = torch::addmm(x, torch::silu(torch::mm(h, w[kGate].t())).mul_(torch::mm(h, w[kUp].t())),
                     w[kDown].t());
  }
  for (int64_t& length : cache.length) length += batch.tokens;
  const Tensor& norm = model_->weights[1 + size_t(s.layers) * kLayer];
  const Tensor last = train::rms_norm(x, norm, s.norm_eps);
  return torch::mm(last, train::output_embedding(s, model_->weights).t());
}

}  // namespace podium::bench
