// Dense fp32 maths on raw pointers. The matrix products are OpenBLAS's, only on the
// calling thread: callers parallelise over rows with base/parallel.h. The others are those of
// isa.h's active_kernels().
#pragma once

#include <cstddef>

namespace podium::kernels {

// c[m, n] = a[m, k] * b[n, k]^T (+ c if accumulate): a linear layer with weights [out, in].
void matmul_nt(const float* a, const float* b, float* c, size_t m, size_t n, size_t k,
               bool accumulate = false);
// c[m, n] = a[m, k] * b[k, n].
void matmul_nn(const float* a, const float* b, float* c, size_t m, size_t n, size_t k);
// c[m, n] = a[k, m]^T * b[k, n].
void matmul_tn(const float* a, const float* b, float* c, size_t m, size_t n, size_t k);

float dot(const float* a, const float* b, size_t n);
float squared_distance(const float* a, const float* b, size_t n);
void axpy(float alpha, const float* x, float* y, size_t n);  // y += alpha x
void softmax(float* x, size_t n);                            // in place, numerically safe
// y = x / sqrt(mean(x^2) + eps) * weight; x and y may be the same buffer.
void rms_norm(const float* x, const float* weight, float* y, size_t n, float eps);
// y = (x - mean) / sqrt(variance + eps) * weight + bias; x and y may be the same buffer.
void layer_norm(const float* x, const float* weight, const float* bias, float* y, size_t n,
                float eps);
float silu(float x);
float max_of(const float* x, size_t n);              // n > 0
float exp_and_sum(float* x, size_t n, float shift);  // x = exp(x - shift), at most 88; their sum
double sum_of_exp(const float* x, size_t n, float shift);  // the same, x unchanged
void swiglu(float* gate, const float* up, size_t n);       // gate = silu(gate) * up
void gelu(float* x, size_t n);  // x = x/2 (1 + erf(x / sqrt 2)), within 1e-6 (1 + |x|)

// Eigenvalues (ascending) and eigenvectors (row i of `a` afterwards) of the symmetric a[n, n];
// LAPACK ssyevd. False when it does not converge.
bool symmetric_eigen(float* a, float* values, size_t n);

// Sets OpenBLAS's own threads (1 at start-up of this library's users).
void set_blas_threads(int threads);

}  // namespace podium::kernels
