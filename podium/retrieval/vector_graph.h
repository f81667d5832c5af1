// Faiss's HNSW graph (Malkov and Yashunin 2016, 1603.09320) over vectors that somebody else holds,
// compared by our kernels: Debian's Faiss is built without any vector instructions. One thread
// builds it, item after item, so that the same vectors always give the same graph.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "podium/retrieval/retriever.h"

namespace podium::retrieval {

// Immutable and thread-safe once built.
class VectorGraph {
 public:
  // vectors: [items, dim], which must outlive the graph. Shows its progress. Throws Error of kind
  // kInterrupted when the program is interrupted.
  VectorGraph(std::span<const float> vectors, size_t dim);
  // What save() wrote for these vectors. Throws Error (kCorrupt) when it does not fit them.
  VectorGraph(std::span<const float> vectors, size_t dim, const fs::path& file);
  VectorGraph(VectorGraph&&) noexcept;
  ~VectorGraph();

  void save(const fs::path& file) const;
  // Nearly the n best by inner product with user [dim], best first.
  std::vector<Scored> search(std::span<const float> user, size_t n) const;

 private:
  struct Built;
  std::unique_ptr<Built> built_;
};

}  // namespace podium::retrieval
