// SASRec (Kang and McAuley 2018) without LibTorch: podium-train exports the weights, this encodes a
// history.
//
// sasrec.safetensors, metadata {format, version, dim, blocks, heads, max_len, activation}:
//   item_embedding [items, dim]          position_embedding [max_len, dim], 0 = newest event
//   blocks.N.norm1.{weight,bias} [dim]   blocks.N.attention.{q,k,v,o}.{weight [dim, dim], bias}
//   blocks.N.norm2.{weight,bias} [dim]   blocks.N.ffn.{up,down}.{weight, bias}, 4 dim wide
//   norm.{weight,bias}
//   text_projection [dim, width], only of models that read text: their item_embedding is the learnt
//   vector and the projected one, added
// Pre-LayerNorm, causal attention, exact GELU; score = dot(user vector, item_embedding).
#pragma once

#include "podium/sequence/layers.h"

namespace podium::sequence {

// Immutable and thread-safe.
class Sasrec {
 public:
  // Throws Error if the file is missing or damaged.
  explicit Sasrec(const fs::path& file, kernels::Precision precision = kernels::Precision::kFp32);

  size_t dim() const { return dim_; }
  std::span<const float> item_vectors() const { return items_.all(); }  // [items, dim]
  // [dim] of an item that came after training, by its text [width]: what an unlearnt item is. Empty
  // when the model reads no text of this width.
  std::vector<float> vector_of(std::span<const float> text) const;
  // [dim] of the items that a user met, oldest first; the newest max_len are read. Zeros without
  // any.
  std::vector<float> user_vector(std::span<const uint32_t> history) const;

 private:
  struct Block {
    LayerNorm norm1;
    Linear q, k, v, o;
    LayerNorm norm2;
    Linear up, down;
  };
  void attend(const Block& block, std::vector<float>& x, size_t first) const;
  void feed_forward(const Block& block, std::vector<float>& x, size_t first) const;

  Weights weights_;
  size_t dim_, heads_, max_len_;
  ItemTable items_;
  std::span<const float> positions_, text_projection_;
  std::vector<Block> blocks_;
  LayerNorm norm_;
};

}  // namespace podium::sequence
