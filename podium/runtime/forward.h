// The transformer over a ragged batch: chunks of new tokens of many sequences at once.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "podium/runtime/kv_cache.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

// New tokens of one sequence that do not see all of it, as beams and the blocks of candidates: each
// sees the first `trunk` places of the cache, some runs of places behind them, and itself.
struct Branches {
  struct Run {
    uint32_t begin, end;
  };
  static constexpr size_t kMaxRuns = 8;

  std::vector<int> position;    // [tokens], of RoPE
  std::vector<uint32_t> trunk;  // [tokens]
  size_t width = 0;             // runs of a token, at most kMaxRuns
  std::vector<Run> runs;        // [tokens, width], without overlap, before the token's own place
  size_t added_width = 0;       // tokens whose embeddings are added to each token's own
  std::vector<TokenId> added;   // [tokens, added_width]; negative: none
};

// New tokens of one sequence, read after those that its cache holds. Chunks whose caches begin with
// the same pages should be neighbours: their attention to these is then one matrix product.
struct Chunk {
  std::span<const TokenId> tokens;     // at least one
  KvCache* cache;                      // grows by them
  const Branches* branches = nullptr;  // null: every token sees all those before it
  size_t first = 0;                    // branches: the first token's place in them
};

// Query tokens of one chunk whose attention is computed together; the last stands at `seen - 1` of
// its sequence.
struct Piece {
  const KvCache* cache;
  size_t count, seen;
  const Branches* branches = nullptr;
  size_t first = 0;  // its first token's place in the branches
  // Of branches: what their tokens see lies within these runs; the last is of themselves.
  std::array<Branches::Run, Branches::kMaxRuns + 2> hulls{};
  size_t hull_count = 0;
};

// Buffers kept between calls; one per thread.
struct Workspace {
  std::vector<float> x, h, q, k, v, attended, gate, up;
  kernels::LinearInput input;
  std::vector<int> position;
  std::vector<float> cosine, sine;  // of the positions, [rows, head_dim / 2]
  std::vector<Piece> pieces;
  std::vector<float> gathered, scores, output, row_sum, branch;
};

enum class Rows { kLast, kAll };

// Runs the layers and the final norm. Returns the hidden states ready for the output embedding,
// row-major [rows, hidden], of the last token of every chunk (kLast) or of every token; valid until
// the workspace is used again.
std::span<const float> forward(const Model& model, std::span<Chunk> chunks, Rows rows,
                               Workspace& work);

// Attention of one layer: q and out [query rows, heads * head_dim], q rotated and scaled, the
// chunks' keys and values already stored behind cache->length(). A chunk has as many query rows as
// tokens, or 1 (its last).
void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, Workspace& work);

}  // namespace podium::runtime
