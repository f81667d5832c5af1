#include "podium/kernels/kernels.h"

#include <cblas.h>

#include <cmath>
#include <vector>

extern "C" void ssyevd_(const char* job, const char* half, const int* n, float* a, const int* lda,
                        float* values, float* work, const int* lwork, int* iwork, const int* liwork,
                        int* info);

namespace podium::kernels {
namespace {

// One BLAS thread from the start: callers parallelise over rows themselves.
const bool g_single_threaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

blasint size(size_t n) { return static_cast<blasint>(n); }

}  // namespace

// A function of several instruction sets, chosen by the loader (GCC alone has it for C++ well).
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PODIUM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PODIUM_CLONES
#endif

void matmul_nt(const float* a, const float* b, float* c, size_t m, size_t n, size_t k,
               bool accumulate) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size(m), size(n), size(k), 1.0F, a, size(k),
              b, size(k), accumulate ? 1.0F : 0.0F, c, size(n));
}

void matmul_nn(const float* a, const float* b, float* c, size_t m, size_t n, size_t k) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(m), size(n), size(k), 1.0F, a,
              size(k), b, size(n), 0.0F, c, size(n));
}

void matmul_tn(const float* a, const float* b, float* c, size_t m, size_t n, size_t k) {
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, size(m), size(n), size(k), 1.0F, a, size(m),
              b, size(n), 0.0F, c, size(n));
}

// Sixteen partial sums let the compiler vectorise without reordering a sum it may not reorder.
PODIUM_CLONES float dot(const float* a, const float* b, size_t n) {
  float lanes[16] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (size_t j = 0; j < 16; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

PODIUM_CLONES float squared_distance(const float* a, const float* b, size_t n) {
  float lanes[16] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (size_t j = 0; j < 16; ++j) lanes[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
  }
  float sum = 0;
  for (; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  for (const float lane : lanes) sum += lane;
  return sum;
}

PODIUM_CLONES void axpy(float alpha, const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += alpha * x[i];
}

void softmax(float* x, size_t n) {
  if (n == 0) return;
  float top = x[0];
  for (size_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - top);
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
}

void rms_norm(const float* x, const float* weight, float* y, size_t n, float eps) {
  const float scale = 1.0F / std::sqrt(dot(x, x, n) / static_cast<float>(n) + eps);
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

float silu(float x) { return x / (1.0F + std::exp(-x)); }

bool symmetric_eigen(float* a, float* values, size_t n) {
  const int order = size(n), ask = -1;
  int info = 0, integers = 0;
  float floats = 0;
  ssyevd_("V", "U", &order, a, &order, values, &floats, &ask, &integers, &ask, &info);
  std::vector<float> work(static_cast<size_t>(floats) + 1);
  std::vector<int> iwork(static_cast<size_t>(integers) + 1);
  const int lwork = static_cast<int>(work.size()), liwork = static_cast<int>(iwork.size());
  ssyevd_("V", "U", &order, a, &order, values, work.data(), &lwork, iwork.data(), &liwork, &info);
  return info == 0;
}

void set_blas_threads(int threads) { openblas_set_num_threads(threads); }

}  // namespace podium::kernels
