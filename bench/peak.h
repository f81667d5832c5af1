// What this machine can do at most on one thread, measured with loops that do nothing else.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/measure.h"
#include "podium/kernels/isa.h"

namespace podium::bench {

// Additions in flight: more than any machine's latency needs. Each starts from another value, as
// equal ones would be computed once.
constexpr int kChains = 24;
constexpr long kLoops = 2'000'000;

__attribute__((target("avx512f"))) inline float fma_loop_512() {
  __m512 sum[kChains];
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_ps(float(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (long i = 0; i < kLoops; ++i) {
#pragma GCC unroll 24  // else the sums lie in memory
    for (__m512& s : sum) s = _mm512_fmadd_ps(s, a, b);
  }
#pragma GCC unroll 24
  for (int i = 1; i < kChains; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return _mm512_reduce_add_ps(sum[0]);
}

__attribute__((target("avx2,fma"))) inline float fma_loop_256() {
  constexpr int kFew = 12;
  __m256 sum[kFew];
#pragma GCC unroll 24
  for (int i = 0; i < kFew; ++i) sum[i] = _mm256_set1_ps(float(i));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (long i = 0; i < kLoops; ++i) {
#pragma GCC unroll 24  // else the sums lie in memory
    for (__m256& s : sum) s = _mm256_fmadd_ps(s, a, b);
  }
#pragma GCC unroll 24
  for (int i = 1; i < kFew; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  return _mm256_cvtss_f32(sum[0]) * kChains / kFew;
}

__attribute__((target("avx512f,avx512vnni"))) inline int vnni_loop() {
  __m512i sum[kChains];
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_epi32(i);
  const __m512i a = _mm512_set1_epi32(0x01020304), b = _mm512_set1_epi32(0x04030201);
  for (long i = 0; i < kLoops; ++i) {
#pragma GCC unroll 24  // else the sums lie in memory
    for (__m512i& s : sum) s = _mm512_dpbusd_epi32(s, a, b);
  }
#pragma GCC unroll 24
  for (int i = 1; i < kChains; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
  return _mm512_reduce_add_epi32(sum[0]);
}

inline volatile double g_sink;  // keeps the loops' results, and so the loops

template <class Loop>
double best_of(const Loop& loop, double work) {
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    best = std::max(best, work / seconds([&] { g_sink = double(loop()); }));
  }
  return best;
}

// Operations a second, two a multiply-add; 0 where the instruction set lacks them.
inline double peak_fp32() {
  if (kernels::supported_isas().back() == kernels::Isa::kAvx512) {
    return best_of(fma_loop_512, 2.0 * 16 * kChains * double(kLoops));
  }
  if (kernels::supported_isas().back() == kernels::Isa::kAvx2) {
    return best_of(fma_loop_256, 2.0 * 8 * 12 * double(kLoops));
  }
  return 0;
}

inline double peak_int8() {
  if (kernels::supported_isas().back() != kernels::Isa::kAvx512) return 0;
  return best_of(vnni_loop, 2.0 * 64 * kChains * double(kLoops));
}

// Bytes a second read from memory by one thread.
inline double peak_read() {
  std::vector<uint64_t> words(size_t{48} << 20, 1);  // 384 MiB: past every cache
  return best_of(
      [&] {
        uint64_t sums[8] = {};
        for (size_t i = 0; i < words.size(); i += 8) {
          for (size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
        }
        uint64_t sum = 0;
        for (const uint64_t s : sums) sum += s;
        return sum;
      },
      double(words.size()) * 8);
}

}  // namespace podium::bench
