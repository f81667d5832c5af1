// Plain generation with LibTorch: the trainer's policy with buffers of keys and values, batched
// over sequences of unequal length, the last layer after its attention only for the last token.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "podium/train/qwen3.h"

namespace podium::bench {

// Keys and values of `rows` sequences, [rows, kv_heads, room, head_dim] a layer.
struct TorchCache {
  TorchCache(const rerank::ModelSpec& spec, int64_t rows, int64_t room);
  TorchCache() = default;

  // The same memory, rows [begin, end), with lengths of its own.
  TorchCache rows(int64_t begin, int64_t end) const;

  std::vector<torch::Tensor> keys, values;
  std::vector<int64_t> length;  // tokens read, a row
};

// Of a row's new tokens, when they do not see all before them.
struct TorchBlocks {
  std::vector<int64_t> positions;  // [n]
  torch::Tensor mask;              // [1, 1, 1, n, places up to the last of them]: 0 or -inf
  torch::Tensor added;             // [n, hidden], to the embeddings
};

class TorchPolicy {
 public:
  explicit TorchPolicy(train::Qwen3 model);

  // Reads tokens [rows, n] after what the cache holds. Logits [rows, vocab] of the last of each.
  // blocks: null, or of the tokens of the one row.
  torch::Tensor read(const std::vector<int64_t>& tokens, TorchCache& cache,
                     const TorchBlocks* blocks = nullptr) const;

  const rerank::ModelSpec& spec() const { return model_->spec; }
  const torch::Tensor& embedding() const { return model_->weights.front(); }  // [vocab, hidden]

 private:
  struct Batch;
  torch::Tensor heads(const torch::Tensor& x, const torch::Tensor& norm, const Batch& batch) const;
  torch::Tensor attend(const torch::Tensor& h, int layer, const Batch& batch,
                       TorchCache& cache) const;

  train::Qwen3 model_;
  torch::Tensor cosine_, sine_;  // [max_positions, head_dim / 2]
};

}  // namespace podium::bench
