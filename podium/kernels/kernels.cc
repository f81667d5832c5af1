#include "podium/kernels/kernels.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "podium/kernels/isa.h"

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

float dot(const float* a, const float* b, size_t n) { return active_kernels().dot(a, b, n); }

float squared_distance(const float* a, const float* b, size_t n) {
  return active_kernels().squared_distance(a, b, n);
}

void axpy(float alpha, const float* x, float* y, size_t n) {
  active_kernels().axpy(alpha, x, y, n);
}

void rms_norm(const float* x, const float* weight, float* y, size_t n, float eps) {
  active_kernels().rms_norm(x, weight, y, n, eps);
}

void layer_norm(const float* x, const float* weight, const float* bias, float* y, size_t n,
                float eps) {
  active_kernels().layer_norm(x, weight, bias, y, n, eps);
}

float max_of(const float* x, size_t n) { return active_kernels().max_of(x, n); }

float exp_and_sum(float* x, size_t n, float shift) {
  return active_kernels().exp_and_sum(x, n, shift);
}

double sum_of_exp(const float* x, size_t n, float shift) {
  constexpr size_t kBlock = 256;
  float block[kBlock];
  double sum = 0;
  for (size_t at = 0; at < n; at += kBlock) {
    const size_t size = std::min(kBlock, n - at);
    std::copy_n(x + at, size, block);
    sum += exp_and_sum(block, size, shift);
  }
  return sum;
}

void swiglu(float* gate, const float* up, size_t n) { active_kernels().swiglu(gate, up, n); }

void gelu(float* x, size_t n) { active_kernels().gelu(x, n); }

void softmax(float* x, size_t n) {
  if (n == 0) return;
  float top = x[0];
  for (size_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - top);
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
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
