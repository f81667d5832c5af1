// Nearest items by inner product: exact under 200 k items, by a graph above. The graph is saved:
// opening a file builds nothing.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "podium/kernels/packed_matrix.h"
#include "podium/retrieval/retriever.h"
#include "podium/retrieval/vector_graph.h"

namespace podium::retrieval {

// Immutable and thread-safe once built.
class VectorIndex {
 public:
  static constexpr size_t kExactBelow = 200000;  // items

  // vectors: [items, dim], copied. Builds the graph when there are `exact_below` items or more:
  // see VectorGraph.
  VectorIndex(std::span<const float> vectors, size_t dim, size_t exact_below = kExactBelow);
  // With the graph that save_graph wrote for these vectors. Throws Error (kCorrupt) when it does
  // not fit them.
  static VectorIndex open(std::span<const float> vectors, size_t dim, const fs::path& file,
                          size_t exact_below = kExactBelow);
  // The same, or with a new graph where there is no file: trainers write vectors only.
  static VectorIndex open_or_build(std::span<const float> vectors, size_t dim,
                                   const fs::path& file);

  // Writes nothing when the search is exact.
  void save_graph(const fs::path& file) const;

  // The n best items by inner product with user [dim], the query's history left out.
  std::vector<Scored> search(std::span<const float> user, const Query& query, size_t n) const;
  std::span<const float> vector(ItemIndex item) const {
    return {vectors_.data() + size_t(item) * dim_, dim_};
  }
  std::span<const float> vectors() const { return vectors_; }  // [items, dim]
  size_t dim() const { return dim_; }
  size_t items() const { return vectors_.size() / dim_; }

 private:
  struct Exact {};
  VectorIndex(std::span<const float> vectors, size_t dim, Exact);
  // The n best of all items, in order.
  std::vector<Scored> exact(std::span<const float> user, size_t n) const;
  void make_coarse();
  void coarse_scores(std::span<const float> user, std::vector<float>& parts,
                     std::vector<float>& scores) const;
  float lower_bound_of_nth(const std::vector<float>& scores, const std::vector<float>& tops,
                           size_t n) const;

  std::vector<float> vectors_;
  size_t dim_;
  std::optional<VectorGraph> graph_;  // none: the search is exact
  // Of an exact search: int8 vectors find who may be among the best, a quarter of the bytes.
  kernels::PackedMatrix coarse_;
  float coarse_error_ = 0, longest_ = 0;  // largest length of an error, of a vector
};

}  // namespace podium::retrieval
