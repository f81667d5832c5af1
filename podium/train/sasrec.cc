#include "podium/train/sasrec.h"

#include "podium/base/error.h"
#include "podium/train/checkpoint.h"

namespace podium::train {

namespace nn = torch::nn;
using torch::Tensor;

SasrecBlockImpl::SasrecBlockImpl(int dim, int head_count, double dropped)
    : heads(head_count), dropout(dropped) {
  norm1 = register_module("norm1", nn::LayerNorm(nn::LayerNormOptions({dim})));
  norm2 = register_module("norm2", nn::LayerNorm(nn::LayerNormOptions({dim})));
  auto attention = register_module("attention", std::make_shared<nn::Module>("attention"));
  q = attention->register_module("q", nn::Linear(dim, dim));
  k = attention->register_module("k", nn::Linear(dim, dim));
  v = attention->register_module("v", nn::Linear(dim, dim));
  o = attention->register_module("o", nn::Linear(dim, dim));
  auto ffn = register_module("ffn", std::make_shared<nn::Module>("ffn"));
  up = ffn->register_module("up", nn::Linear(dim, 4 * dim));
  down = ffn->register_module("down", nn::Linear(4 * dim, dim));
}

Tensor SasrecBlockImpl::forward(Tensor x, const Tensor& blocked) {
  const int64_t batch = x.size(0), time = x.size(1), dim = x.size(2);
  const auto split = [&](const Tensor& y) {  // -> [batch, heads, time, dim / heads]
    return y.view({batch, time, heads, dim / heads}).transpose(1, 2);
  };
  const Tensor input = norm1(x);
  Tensor weights = split(q(input)).matmul(split(k(input)).transpose(-1, -2));
  weights = weights.mul(1.0 / std::sqrt(double(dim / heads))).masked_fill(blocked, -1e9);
  weights = torch::dropout(weights.softmax(-1), dropout, is_training());
  const Tensor mixed = weights.matmul(split(v(input))).transpose(1, 2).reshape({batch, time, dim});
  x = x + torch::dropout(o(mixed), dropout, is_training());
  const Tensor inner = torch::dropout(torch::gelu(up(norm2(x))), dropout, is_training());
  return x + torch::dropout(down(inner), dropout, is_training());
}

SasrecImpl::SasrecImpl(int64_t items, const SequenceOptions& given) : SequenceModelImpl(given) {
  item_embedding =
      register_parameter("item_embedding", torch::randn({items, options.dim}).mul_(0.02));
  position_embedding = register_parameter("position_embedding",
                                          torch::randn({options.max_len, options.dim}).mul_(0.02));
  auto list = register_module("blocks", std::make_shared<nn::Module>("blocks"));
  for (int i = 0; i < options.blocks; ++i) {
    blocks.push_back(list->register_module(
        std::to_string(i), SasrecBlock(options.dim, options.heads, options.dropout)));
  }
  norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({options.dim})));
}

Tensor SasrecImpl::encode(const Tensor& embedded, const Tokens& tokens) {
  PODIUM_CHECK(tokens.candidates == 0);
  return forward(embedded, tokens.items.eq(kPad));
}

Tensor SasrecImpl::forward(const Tensor& embedded, const Tensor& padding) {
  const int64_t time = embedded.size(1);
  PODIUM_CHECK(time <= options.max_len);
  const Tensor positions = position_embedding.slice(0, 0, time).flip(0);  // [time, dim]
  Tensor x = torch::dropout(embedded + positions, options.dropout, is_training());
  const Tensor future = torch::ones({time, time}, torch::kBool).triu(1);
  const Tensor blocked = padding.unsqueeze(1).unsqueeze(2).logical_or(future);
  for (SasrecBlock& block : blocks) x = block(x, blocked);
  return norm(x);
}

void export_sasrec(const fs::path& file, const SasrecImpl& model) {
  const SequenceOptions& options = model.options;
  save_model(file, model,
             {{"format", "podium-sasrec"},
              {"version", "1"},
              {"dim", std::to_string(options.dim)},
              {"blocks", std::to_string(options.blocks)},
              {"heads", std::to_string(options.heads)},
              {"max_len", std::to_string(options.max_len)},
              {"activation", "gelu"}});
}

}  // namespace podium::train
