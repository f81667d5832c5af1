// HSTU (Zhai et al. 2024, "Actions Speak Louder than Words", 2402.17152) without LibTorch:
// podium-train exports the weights, this reads a history and scores candidates after it.
//
// hstu.safetensors, metadata {format, version, dim, blocks, heads, max_len}:
//   item_embedding [items, dim]
//   blocks.N.norm.{weight,bias} [dim]
//   blocks.N.uvqk.{weight [4 dim, dim], bias}    u, v, q, k, each heads x width
//   blocks.N.position_bias [max_len + 1]         by the positions between query and key
//   blocks.N.time_bias [64]                      by time_bucket(asked - the key's time)
//   blocks.N.out.{weight [dim, dim], bias}
//   norm.{weight,bias} [dim]
//   rank_head [dim]
//
// A block: U, V, Q, K = SiLU(linear(norm(x))); A = SiLU(Q K^T + bias) / max_len over the events
// before the query and itself; x += linear(norm(A V) * U), the inner norm without weights, eps
// 1e-6. An event is asked at the time of the event after it, the newest at the time of the request.
//
// Two scores, user being the state of the newest event: for retrieval dot(user, item_embedding);
// for ranking that + dot(rank_head, state of the candidate's own token), which comes after the
// history as an event of this moment would. M-FALCON (section 3.4 there): the history is read once;
// candidates, masked from one another, then go through the blocks in micro-batches.
#pragma once

#include "podium/sequence/layers.h"

namespace podium::sequence {

// A user at the moment of a request.
struct Events {
  std::span<const uint32_t> items;  // oldest first
  std::span<const int64_t> times;   // seconds, one an item
  int64_t now = 0;                  // seconds
};

// A history as candidates need it: of every block the keys and values, packed as the weights of
// matrix products.
struct HstuHistory {
  struct Block {
    std::vector<kernels::PackedMatrix> keys;    // a head: [events, width]
    std::vector<kernels::PackedMatrix> values;  // a head: [width, events], divided by max_len
    std::vector<float> bias;                    // [events], of a candidate
  };
  std::vector<Block> blocks;
  std::vector<float> user;  // [dim], the state of the newest event; zeros without any
};

// Immutable and thread-safe.
class Hstu {
 public:
  static constexpr size_t kMicroBatch =
      96;  // whole tiles of the kernels, in the second-level cache

  // Throws Error if the file is missing or damaged.
  explicit Hstu(const fs::path& file, kernels::Precision precision = kernels::Precision::kFp32);

  size_t dim() const { return dim_; }
  std::span<const float> item_vectors() const { return items_.all(); }  // [items, dim]

  HstuHistory read(const Events& events) const;  // of which the newest max_len
  // Scores for ranking, one a candidate.
  void rank(const HstuHistory& history, std::span<const uint32_t> candidates,
            std::span<float> scores) const;

 private:
  struct Block {
    LayerNorm norm;
    Linear uvqk, out;
    std::span<const float> position_bias, time_bias;
  };
  struct Pass;
  void project(const Block& block, Pass& pass) const;
  HstuHistory::Block remember(const Block& block, const Pass& pass, const Events& events) const;
  void relate(const Block& block, const Events& events, Pass& pass) const;
  void attend(const HstuHistory::Block& history, Pass& pass) const;
  void attend_itself(const Block& block, Pass& pass) const;
  void finish(const Block& block, Pass& pass) const;

  kernels::Precision precision_;
  Weights weights_;
  size_t dim_, heads_, width_, max_len_;
  ItemTable items_;
  std::vector<Block> blocks_;
  LayerNorm mixed_norm_, norm_;
  std::span<const float> rank_head_;
  std::vector<float> ones_;
};

}  // namespace podium::sequence
