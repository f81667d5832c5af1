// Truncated singular value decomposition of a sparse matrix by random projection and power
// iterations (Halko, Martinsson, Tropp 2011).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace podium::text {

// Compressed sparse rows.
struct SparseMatrix {
  size_t rows = 0, cols = 0;
  std::vector<size_t> begin{0};  // [rows + 1]
  std::vector<uint32_t> column;
  std::vector<float> value;
};

struct SvdOptions {
  size_t dim = 0;         // directions wanted
  size_t oversample = 0;  // extra ones while iterating, dropped at the end
  int power_iterations = 0;
};

// Row c says what a unit of column c adds to each of `width` directions, strongest first.
struct Basis {
  size_t width = 0;           // min(dim, rows, cols) at most
  std::vector<float> values;  // [cols, width]
};

// The basis V of a ~ U S V^T, so that a row of `a` times it is a row of U S. The same for every
// thread count. Throws Error when the decomposition does not converge.
Basis right_singular_vectors(const SparseMatrix& a, const SvdOptions& options, uint64_t seed,
                             int threads);

}  // namespace podium::text
