// The transformer over a ragged batch: chunks of new tokens of many sequences at once, each with
// its own KV cache and, where rollouts fork from one prompt, a shared prefix cache read in place.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "podium/runtime/model.h"

namespace podium::runtime {

// Keys and values of one sequence, every layer: [kv_heads, capacity, head_dim] each.
class KvCache {
 public:
  KvCache(const rerank::ModelSpec& spec, size_t capacity);

  size_t length = 0;  // tokens stored
  size_t capacity() const { return capacity_; }
  float* keys(int layer, int kv_head) { return at(layer, kv_head, 0); }
  float* values(int layer, int kv_head) { return at(layer, kv_head, 1); }
  const float* keys(int layer, int kv_head) const { return at(layer, kv_head, 0); }
  const float* values(int layer, int kv_head) const { return at(layer, kv_head, 1); }

 private:
  float* at(int layer, int kv_head, int which) const {
    return data_.get() + ((size_t(layer) * 2 + which) * kv_heads_ + kv_head) * capacity_ * dim_;
  }

  size_t capacity_, kv_heads_, dim_;
  std::unique_ptr<float[]> data_;
};

// New tokens of one sequence; their positions follow prefix and own. Chunks with the same prefix
// should be neighbours: their attention to it is then one matrix product.
struct Chunk {
  std::span<const TokenId> tokens;  // at least one
  const KvCache* prefix;            // may be null
  KvCache* own;                     // grows by tokens.size(), which must fit

  size_t past() const { return (prefix ? prefix->length : 0) + own->length; }
};

// Buffers kept between calls; one per thread.
struct Workspace {
  std::vector<float> x, h, q, k, v, attended, gate, up;
  kernels::LinearInput input;
  std::vector<int> position;
  std::vector<float> gathered, prefix_scores, own_scores, output, product, row_max, row_sum;
};

enum class Rows { kLast, kAll };

// Runs the layers and the final norm. Returns the hidden states ready for the output embedding,
// row-major [rows, hidden], of the last token of every chunk (kLast) or of every token; valid until
// the workspace is used again.
std::span<const float> forward(const Model& model, std::span<Chunk> chunks, Rows rows,
                               Workspace& work);

// Attention of one layer: q and out [query rows, heads * head_dim], q rotated and scaled, the
// chunks' own keys and values already stored behind own->length. query_rows(c) = tokens of chunk c
// or 1 (its last).
void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, Workspace& work);

}  // namespace podium::runtime
