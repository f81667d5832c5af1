// SASRec (Kang and McAuley 2018) served without LibTorch: podium-train exports the weights, this
// encodes a history and searches the item vectors.
//
// sasrec.safetensors, metadata {format, version, dim, blocks, heads, max_len, activation}:
//   item_embedding [items, dim]          position_embedding [max_len, dim], 0 = newest event
//   blocks.N.norm1.{weight,bias} [dim]   blocks.N.attention.{q,k,v,o}.{weight [dim, dim],bias
//   [dim]} blocks.N.norm2.{weight,bias} [dim]   blocks.N.ffn.{up,down}.{weight,bias}
//   norm.{weight,bias}
// Pre-LayerNorm (eps 1e-5), causal attention, exact GELU; score = dot(user, item_embedding).
#pragma once

#include "podium/artifact/safetensors.h"
#include "podium/retrieval/vector_index.h"

namespace podium::retrieval {

class Sasrec : public Retriever {
 public:
  explicit Sasrec(const fs::path& dir);  // holds sasrec.safetensors; throws Error if damaged

  std::string_view name() const override { return "sasrec"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  void save(const fs::path& dir) const override;

  std::vector<float> user_vector(std::span<const ItemIndex> history) const;  // [dim]
  float score(std::span<const float> user, ItemIndex item) const;

 private:
  std::span<const float> weights(const std::string& name, size_t size) const;
  void attend(const std::string& block, std::vector<float>& x, size_t time) const;
  void feed_forward(const std::string& block, std::vector<float>& x, size_t time) const;

  fs::path path_;
  artifact::SafetensorsFile file_;
  size_t dim_, blocks_, heads_, max_len_;
  VectorIndex index_;
};

}  // namespace podium::retrieval
