// Nearest items by inner product, through Faiss: exact under 200 k items, HNSW above.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

// Immutable and thread-safe once built.
class VectorIndex {
 public:
  VectorIndex(std::span<const float> vectors, size_t dim);  // [items, dim], copied
  VectorIndex(VectorIndex&&) noexcept;
  ~VectorIndex();

  // The n best items by inner product with user [dim], the query's history left out.
  std::vector<Scored> search(std::span<const float> user, const Query& query, size_t n) const;
  std::span<const float> vector(ItemIndex item) const {
    return {vectors_.data() + size_t(item) * dim_, dim_};
  }
  size_t dim() const { return dim_; }
  size_t items() const { return vectors_.size() / dim_; }

 private:
  struct Ann;
  std::vector<float> vectors_;
  size_t dim_;
  std::unique_ptr<Ann> ann_;
};

}  // namespace podium::retrieval
