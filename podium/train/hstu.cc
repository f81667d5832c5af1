#include "podium/train/hstu.h"

#include "podium/base/error.h"
#include "podium/sequence/time_bucket.h"
#include "podium/train/checkpoint.h"

namespace podium::train {

namespace nn = torch::nn;
using torch::Tensor;

namespace {

constexpr double kMixedEps = 1e-6;  // of the norm of A V, which is small

Tensor time_buckets(const Tensor& seconds) {
  Tensor buckets = seconds.contiguous().clone();
  int64_t* value = buckets.data_ptr<int64_t>();
  for (int64_t i = 0; i < buckets.numel(); ++i) value[i] = sequence::time_bucket(value[i]);
  return buckets;
}

Relations relations_of(const Tokens& tokens, int64_t max_len) {
  const int64_t time = tokens.items.size(1);
  Tensor event = tokens.items.ne(kPad);
  event.slice(1, time - tokens.candidates).fill_(false);
  const Tensor gap = tokens.position.unsqueeze(2) - tokens.position.unsqueeze(1);
  const Tensor self = torch::eye(time, torch::kBool);
  return {gap.gt(0).logical_and(event.unsqueeze(1)).logical_or(self), gap.clamp(0, max_len),
          time_buckets(tokens.asked.unsqueeze(2) - tokens.times.unsqueeze(1))};
}

Tensor bias_of(const Tensor& table, const Tensor& index) {
  return table.index_select(0, index.view(-1)).view(index.sizes());
}

}  // namespace

HstuBlockImpl::HstuBlockImpl(const HstuOptions& options)
    : dim(options.dim), heads(options.heads), max_len(options.max_len), dropout(options.dropout) {
  norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({dim})));
  uvqk = register_module("uvqk", nn::Linear(dim, 4 * dim));
  out = register_module("out", nn::Linear(dim, dim));
  position_bias = register_parameter("position_bias", torch::randn({max_len + 1}).mul_(0.02));
  time_bias = register_parameter("time_bias", torch::randn({sequence::kTimeBuckets}).mul_(0.02));
}

Tensor HstuBlockImpl::forward(const Tensor& x, const Relations& relations) {
  const int64_t rows = x.size(0), time = x.size(1);
  const auto split = [&](const Tensor& y) {  // -> [rows, heads, time, dim / heads]
    return y.reshape({rows, time, heads, dim / heads}).transpose(1, 2);
  };
  const auto parts = torch::silu(uvqk(norm(x))).chunk(4, -1);
  const Tensor bias = bias_of(position_bias, relations.distance) +
                      bias_of(time_bias, relations.bucket);  // [rows, time, time]
  const Tensor logits = split(parts[2]).matmul(split(parts[3]).transpose(-1, -2));
  const Tensor weights = torch::silu(logits + bias.unsqueeze(1))
                             .mul(relations.visible.unsqueeze(1))
                             .div(double(max_len));
  const Tensor mixed = weights.matmul(split(parts[1])).transpose(1, 2).reshape({rows, time, dim});
  const Tensor gated = torch::layer_norm(mixed, {dim}, {}, {}, kMixedEps) * parts[0];
  return x + out(torch::dropout(gated, dropout, is_training()));
}

HstuImpl::HstuImpl(int64_t items, const HstuOptions& given) : SequenceModelImpl(given) {
  rank_weight = given.rank_weight;
  rank_negatives = given.rank_negatives;
  item_embedding =
      register_parameter("item_embedding", torch::randn({items, given.dim}).mul_(0.02));
  auto list = register_module("blocks", std::make_shared<nn::Module>("blocks"));
  for (int i = 0; i < given.blocks; ++i) {
    blocks.push_back(list->register_module(std::to_string(i), HstuBlock(given)));
  }
  norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({given.dim})));
  rank_head = register_parameter("rank_head", torch::zeros({given.dim}));
}

Tensor HstuImpl::encode(const Tensor& embedded, const Tokens& tokens) {
  const Relations relations = relations_of(tokens, options.max_len);
  Tensor x = torch::dropout(embedded, options.dropout, is_training());
  for (HstuBlock& block : blocks) x = block(x, relations);
  return norm(x);
}

void export_hstu(const fs::path& file, const HstuImpl& model) {
  const SequenceOptions& options = model.options;
  save_model(file, model,
             {{"format", "podium-hstu"},
              {"version", "1"},
              {"dim", std::to_string(options.dim)},
              {"blocks", std::to_string(options.blocks)},
              {"heads", std::to_string(options.heads)},
              {"max_len", std::to_string(options.max_len)}});
}

}  // namespace podium::train
