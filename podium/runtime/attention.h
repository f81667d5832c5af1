// Attention of one layer over pages of keys and values (kv_cache.h), for chunks of many sequences.
//
// Chunks are cut into pieces of at most 32 query tokens, so that their scores stay in a near cache.
// Neighbouring pieces whose sequences begin with the same pages form a group: what those pages give
// is one matrix product for all of its rows.
//
//                 pages that all see     each piece's own
//   piece A       [ p0 ][ p1 ][ p2 ]     [ a3 ][ a4 ]          A and B: forks of one prompt
//   piece B       [ p0 ][ p1 ][ p2 ]     [ b3 ]
//
//   row = (query token, query head); of one KV head all heads that share it
//
//   1. scores [rows, places] = q keys(page)^T     p0 .. p2 for the rows of A and B at once,
//                                                 a3, a4 for A's rows, b3 for B's
//   2. soft-max of every row over the places that its token sees; 0 at the others
//   3. out [rows, head_dim] = sum over the same pages of scores values(page)
//
// A token sees all places before it and itself, or, with branches, a trunk and some runs:
//
//   places of the sequence   0 ........ trunk ... run ... run ...... own
//   seen                     ##########      ####     ###           #
//
// Pages outside of all that a piece's tokens see are left out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/model_spec.h"
#include "podium/runtime/kv_cache.h"
#include "podium/runtime/types.h"

namespace podium::runtime {

// New tokens of one sequence that do not see all of it, as beams and candidates: each sees the
// first `trunk` places of the cache, some runs of places after them, and itself.
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
  // The first tokens are candidates' names, of which a model that reads slates takes more.
  size_t names = 0;
  std::span<const float> numbers = {};  // [names, spec.numbers]
  std::span<float> keys = {};  // [names, spec.choice], filled when the last layer is reached
};

// What a token stands for that is an item's last code with its text (rerank/prompt.h).
struct ItemTexts {
  const rerank::PromptContext& context;
  const rerank::Slate& slate;

  TokenId code(TokenId token) const {
    return rerank::last_code(context, slate, rerank::item_of_text(token));
  }
  std::span<const float> vector(TokenId token) const {
    return rerank::text_of(context, slate, rerank::item_of_text(token));
  }
};

// New tokens of one sequence, read after those that its cache holds. Chunks whose caches begin with
// the same pages should be neighbours: they form groups then.
struct Chunk {
  std::span<const TokenId> tokens;     // at least one
  KvCache* cache;                      // grows by them
  const Branches* branches = nullptr;  // null: every token sees all those before it
  size_t first = 0;                    // branches: the first token's place in them
  const ItemTexts* texts = nullptr;    // of tokens that come with a text
};

// Query tokens of one chunk, neighbours; the last stands at `seen - 1` of its sequence.
struct Piece {
  const KvCache* cache;
  size_t count, seen;
  const Branches* branches = nullptr;
  size_t first = 0;  // its first token's place in the branches
  // Of branches: what their tokens see lies within these runs: of each run of theirs one, of the
  // trunk, and of the tokens themselves.
  std::array<Branches::Run, Branches::kMaxRuns + 2> hulls{};
  size_t hull_count = 0;
};

// Buffers kept between calls; one per thread.
struct AttentionSpace {
  std::vector<Piece> pieces;
  std::vector<float> queries;  // [rows, head_dim]
  std::vector<float> scores;   // [rows, places, to a page's end]
  std::vector<float> sums;     // [rows], of the exponentials
  std::vector<float> output;   // [rows, head_dim]
  std::vector<float> branch;   // what one token sees after its trunk
};

enum class Rows { kLast, kAll };

// q and out: [query rows, heads * head_dim], q rotated and scaled, the chunks' keys and values
// already stored after cache->length(). A chunk has as many query rows as tokens, or 1 (its last).
void attend(const rerank::ModelSpec& spec, int layer, std::span<const Chunk> chunks, Rows rows,
            const float* q, float* out, AttentionSpace& space);

}  // namespace podium::runtime
