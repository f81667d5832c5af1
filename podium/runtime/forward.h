// The transformer over a ragged batch: chunks of new tokens of many sequences at once.
#pragma once

#include <span>
#include <vector>

#include "podium/runtime/kv_cache.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

// New tokens that go on with different branches of one sequence: each sees the first `trunk` tokens
// of the cache, of those behind them its ancestors alone, and itself.
struct Branches {
  size_t trunk;                     // at least 1
  std::vector<int> position;        // [tokens], of RoPE
  size_t depth;                     // ancestors of a token
  std::vector<uint32_t> ancestors;  // [tokens, depth], places in the cache before its own
};

// New tokens of one sequence, read after those that its cache holds. Chunks whose caches begin with
// the same pages should be neighbours: their attention to these is then one matrix product.
struct Chunk {
  std::span<const TokenId> tokens;     // at least one
  KvCache* cache;                      // grows by them
  const Branches* branches = nullptr;  // null: every token sees all those before it
};

// Buffers kept between calls; one per thread.
struct Workspace {
  std::vector<float> x, h, q, k, v, attended, gate, up;
  kernels::LinearInput input;
  std::vector<int> position;
  std::vector<float> gathered, scores, output, row_sum, branch;
};

enum class Rows { kLast, kAll };

// Runs the layers and the final norm. Returns the hidden states ready for the output embedding,
// row-major [rows, hidden], of the last token of every chunk (kLast, without branches) or of every
// token; valid until the workspace is used again.
std::span<const float> forward(const Model& model, std::span<Chunk> chunks, Rows rows,
                               Workspace& work);

// Attention of one layer: q and out [query rows, heads * head_dim], q rotated and scaled, the
// chunks' keys and values already stored behind cache->length(). A chunk has as many query rows as
// tokens, or 1 (its last).
void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, Workspace& work);

}  // namespace podium::runtime
