// What this machine can do at most on one thread, measured with loops that do nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/measure.h"
#include "podium/kernels/isa.h"

namespace podium::bench {

constexpr long kLoops = 2'000'000;

// The same instruction on 16 registers in turn: more additions in flight than any latency needs.
// In assembler, as a compiler would add moves.
#define PODIUM_TWICE(line, a, b) line #a "\n" line #b "\n"
#define PODIUM_SIXTEEN(line) \
  PODIUM_TWICE(line, 0, 1)   \
  PODIUM_TWICE(line, 2, 3)   \
  PODIUM_TWICE(line, 4, 5)   \
  PODIUM_TWICE(line, 6, 7)   \
  PODIUM_TWICE(line, 8, 9)   \
  PODIUM_TWICE(line, 10, 11) PODIUM_TWICE(line, 12, 13) PODIUM_TWICE(line, 14, 15)
#define PODIUM_CLOBBERS                                                                     \
  "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
      "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

inline void fma_loop_512() {
  long n = kLoops;
  asm volatile("1:\n" PODIUM_SIXTEEN("vfmadd231ps %%zmm30, %%zmm31, %%zmm") "dec %0\njnz 1b\n"
               : "+r"(n)::PODIUM_CLOBBERS);
}

inline void fma_loop_256() {
  long n = kLoops;
  asm volatile("1:\n" PODIUM_SIXTEEN("vfmadd231ps %%ymm14, %%ymm15, %%ymm") "dec %0\njnz 1b\n"
               : "+r"(n)::PODIUM_CLOBBERS);
}

inline void vnni_loop() {
  long n = kLoops;
  asm volatile("1:\n" PODIUM_SIXTEEN("vpdpbusd %%zmm30, %%zmm31, %%zmm") "dec %0\njnz 1b\n"
               : "+r"(n)::PODIUM_CLOBBERS);
}

template <class Loop>
double median_rate(const Loop& loop, double work) {
  std::vector<double> rates;
  for (int run = 0; run < 9; ++run) rates.push_back(work / seconds(loop));
  return median(rates);
}

// Operations a second, two a multiply-add; 0 where the instruction set lacks them.
inline double peak_fp32() {
  if (kernels::supported_isas().back() == kernels::Isa::kAvx512) {
    return median_rate(fma_loop_512, 2.0 * 16 * 16 * double(kLoops));
  }
  if (kernels::supported_isas().back() == kernels::Isa::kAvx2) {
    return median_rate(fma_loop_256, 2.0 * 8 * 16 * double(kLoops));
  }
  return 0;
}

inline double peak_int8() {
  if (kernels::supported_isas().back() != kernels::Isa::kAvx512) return 0;
  return median_rate(vnni_loop, 2.0 * 64 * 16 * double(kLoops));
}

// Bytes a second read from memory by one thread.
inline double peak_read() {
  std::vector<uint64_t> words(size_t{48} << 20, 1);  // 384 MiB: past every cache
  volatile uint64_t sink = 0;                        // keeps the sum, and so the reads
  return median_rate(
      [&] {
        uint64_t sums[8] = {};
        for (size_t i = 0; i < words.size(); i += 8) {
          for (size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
        }
        uint64_t sum = 0;
        for (const uint64_t s : sums) sum += s;
        sink = sum;
      },
      double(words.size()) * 8);
}

}  // namespace podium::bench
