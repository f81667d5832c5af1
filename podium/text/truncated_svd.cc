#include "podium/text/truncated_svd.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"

namespace podium::text {
namespace {

SparseMatrix transposed(const SparseMatrix& m) {
  SparseMatrix t;
  t.rows = m.cols;
  t.cols = m.rows;
  t.begin.assign(m.cols + 1, 0);
  for (const uint32_t c : m.column) ++t.begin[c + 1];
  for (size_t c = 0; c < m.cols; ++c) t.begin[c + 1] += t.begin[c];
  t.column.resize(m.column.size());
  t.value.resize(m.value.size());
  std::vector<size_t> next(t.begin.begin(), t.begin.end() - 1);
  for (size_t r = 0; r < m.rows; ++r) {
    for (size_t j = m.begin[r]; j < m.begin[r + 1]; ++j) {
      const size_t at = next[m.column[j]]++;
      t.column[at] = static_cast<uint32_t>(r);
      t.value[at] = m.value[j];
    }
  }
  return t;
}

// y[rows, k] = m x[cols, k]
std::vector<float> multiply(const SparseMatrix& m, const std::vector<float>& x, size_t k,
                            int threads) {
  std::vector<float> y(m.rows * k);
  parallel_for(threads, m.rows, 512, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      for (size_t j = m.begin[r]; j < m.begin[r + 1]; ++j) {
        kernels::axpy(m.value[j], &x[m.column[j] * k], &y[r * k], k);
      }
    }
  });
  return y;
}

// x[rows, k]^T x, summed chunk by chunk in order.
std::vector<float> gram(const std::vector<float>& x, size_t rows, size_t k, int threads) {
  constexpr size_t kChunk = 4096;
  std::vector<std::vector<float>> parts((rows + kChunk - 1) / kChunk);
  parallel_for(threads, rows, kChunk, [&](size_t begin, size_t end) {
    std::vector<float>& part = parts[begin / kChunk];
    part.resize(k * k);
    kernels::matmul_tn(&x[begin * k], &x[begin * k], part.data(), k, k, end - begin);
  });
  std::vector<float> sum(k * k);
  for (const auto& part : parts) kernels::axpy(1, part.data(), sum.data(), k * k);
  return sum;
}

// x[rows, k] times m[k, k]^T, in place.
void rotate(std::vector<float>& x, const std::vector<float>& m, size_t rows, size_t k,
            int threads) {
  parallel_for(threads, rows, 1024, [&](size_t begin, size_t end) {
    const std::vector<float> copy(x.begin() + std::ptrdiff_t(begin * k),
                                  x.begin() + std::ptrdiff_t(end * k));
    kernels::matmul_nt(copy.data(), m.data(), &x[begin * k], end - begin, k, k);
  });
}

// The turn [k, k] to the principal directions of x's columns, strongest first; with `unit` they are
// scaled to unit length, else x keeps its singular values. Directions without weight become zero.
std::vector<float> principal_turn(const std::vector<float>& x, size_t rows, size_t k, bool unit,
                                  int threads) {
  std::vector<float> vectors = gram(x, rows, k, threads), values(k);
  if (!kernels::symmetric_eigen(vectors.data(), values.data(), k)) {
    throw Error("the singular value decomposition of the item texts did not converge",
                "use fewer dimensions: encoder.dim");
  }
  std::vector<float> turn(k * k);
  const float top = std::max(values[k - 1], 0.0F);
  for (size_t i = 0; i < k; ++i) {
    const float value = values[k - 1 - i];
    if (value <= top * 1e-6F) continue;
    const float scale = unit ? 1 / std::sqrt(value) : 1;
    kernels::axpy(scale, &vectors[(k - 1 - i) * k], &turn[i * k], k);
  }
  return turn;
}

void orthonormalise(std::vector<float>& x, size_t rows, size_t k, int threads) {
  rotate(x, principal_turn(x, rows, k, true, threads), rows, k, threads);
}

}  // namespace

Basis right_singular_vectors(const SparseMatrix& a, const SvdOptions& options, uint64_t seed,
                             int threads) {
  const size_t k = std::min({options.dim + options.oversample, a.rows, a.cols});
  if (k == 0) return {};
  const SparseMatrix at = transposed(a);
  Rng rng = Rng(seed).fork("text-encoder");
  std::vector<float> x(a.cols * k);
  for (float& value : x) value = static_cast<float>(rng.normal());
  std::vector<float> y = multiply(a, x, k, threads);
  for (int i = 0; i < options.power_iterations; ++i) {
    orthonormalise(y, a.rows, k, threads);
    x = multiply(at, y, k, threads);
    orthonormalise(x, a.cols, k, threads);
    y = multiply(a, x, k, threads);
  }
  // y = a x: what turns y to its principal directions turns x to the basis they are read with.
  rotate(x, principal_turn(y, a.rows, k, false, threads), a.cols, k, threads);
  Basis basis{.width = std::min(k, options.dim), .values = {}};
  basis.values.resize(a.cols * basis.width);
  for (size_t c = 0; c < a.cols; ++c) {
    std::copy_n(&x[c * k], basis.width, &basis.values[c * basis.width]);
  }
  return basis;
}

}  // namespace podium::text
