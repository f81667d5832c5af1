// SASRec as a candidate source: the model's user vector and a search of the item vectors.
#pragma once

#include "podium/retrieval/vector_index.h"
#include "podium/sequence/sasrec.h"

namespace podium::retrieval {

class Sasrec : public Retriever {
 public:
  explicit Sasrec(const fs::path& dir);  // holds sasrec.safetensors; throws Error if damaged

  std::string_view name() const override { return "sasrec"; }
  std::vector<Scored> retrieve(const Query& query, size_t n) const override;
  bool reads_time() const override { return false; }
  void save(const fs::path& dir) const override;

  std::vector<float> user_vector(std::span<const ItemIndex> history) const;  // [dim]
  size_t items() const { return index_.items(); }
  float score(std::span<const float> user, ItemIndex item) const;
  float score(std::span<const float> user, const AddedItem& added) const;  // where it reads text
  // AddedItem::sequence, from the vector of its text.
  std::vector<float> vector_of(std::span<const float> text) const { return model_.vector_of(text); }

 private:
  fs::path path_;
  sequence::Sasrec model_;
  VectorIndex index_;
};

}  // namespace podium::retrieval
