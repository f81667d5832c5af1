// AVX-512 with VNNI. A tile of 12 rows and one panel holds 24 of the 32 registers.
#include <immintrin.h>

#include "podium/kernels/kernel_table.h"
// The order matters: gemm.inc uses kernel_table.h.
#include "podium/kernels/gemm.inc"
#define PODIUM_WIDTH 16
#include "podium/kernels/vector.inc"

namespace podium::kernels {
namespace {

constexpr size_t kWide = 16;  // lanes of a register

inline void put(const PackedGemm& g, size_t row, size_t column, __m512 value) {
  if (column >= g.n) return;
  float* y = g.y + row * g.y_stride + column;
  const size_t left = g.n - column;
  const auto mask = static_cast<__mmask16>(left >= kWide ? 0xFFFF : (1U << left) - 1);
  if (g.accumulate) value = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, y), value);
  _mm512_mask_storeu_ps(y, mask, value);
}

inline __m512 load16(const float* w) { return _mm512_loadu_ps(w); }
inline __m512 load16(const uint16_t* w) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// Sums kept apart for the steps of k that are in flight at once: with few rows a single chain of
// additions would wait for itself.
constexpr int chains(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

template <class Stored>
struct FloatKernel {
  static constexpr size_t kRows = 12;
  static size_t row_bytes(size_t k) { return k * sizeof(float); }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel) {
    constexpr int kChains = chains(kTile);
    const auto* w = static_cast<const Stored*>(g.weight) + panel * g.depth * kPanel;
    const auto* x = static_cast<const float*>(g.x) + row * g.x_stride;
    __m512 sum[kChains][kTile][2];
    PODIUM_UNROLL for (int c = 0; c < kChains; ++c) {
      PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
        sum[c][r][0] = sum[c][r][1] = _mm512_setzero_ps();
      }
    }
    const auto step = [&](size_t p, int chain) {
      const __m512 w0 = load16(w + p * kPanel), w1 = load16(w + p * kPanel + kWide);
      PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
        const __m512 value = _mm512_set1_ps(x[r * g.x_stride + p]);
        sum[chain][r][0] = _mm512_fmadd_ps(value, w0, sum[chain][r][0]);
        sum[chain][r][1] = _mm512_fmadd_ps(value, w1, sum[chain][r][1]);
      }
    };
    size_t p = 0;
    for (; p + kChains <= g.k; p += kChains) {
      PODIUM_UNROLL for (int chain = 0; chain < kChains; ++chain) step(p + chain, chain);
    }
    for (; p < g.k; ++p) step(p, 0);
    PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
      PODIUM_UNROLL for (int half = 0; half < 2; ++half) {
        __m512 total = sum[0][r][half];
        PODIUM_UNROLL for (int c = 1; c < kChains; ++c) total =
            _mm512_add_ps(total, sum[c][r][half]);
        put(g, row + r, panel * kPanel + half * kWide, total);
      }
    }
  }
};

struct Int8Kernel {
  static constexpr size_t kRows = 12;
  static size_t row_bytes(size_t k) { return k; }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel) {
    constexpr int kChains = chains(kTile);
    const size_t steps = (g.k + kInt8Step - 1) / kInt8Step;
    const auto* w = static_cast<const int8_t*>(g.weight) + panel * g.depth * kPanel;
    const auto* x = static_cast<const uint8_t*>(g.x) + row * g.x_stride;
    __m512i sum[kChains][kTile][2];
    PODIUM_UNROLL for (int c = 0; c < kChains; ++c) {
      PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
        sum[c][r][0] = sum[c][r][1] = _mm512_setzero_si512();
      }
    }
    const auto step = [&](size_t s, int chain) {
      const __m512i w0 = _mm512_loadu_si512(w + s * kPanel * kInt8Step);
      const __m512i w1 = _mm512_loadu_si512(w + (s * kPanel + kWide) * kInt8Step);
      PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
        int four;
        __builtin_memcpy(&four, x + r * g.x_stride + s * kInt8Step, sizeof four);
        const __m512i value = _mm512_set1_epi32(four);
        sum[chain][r][0] = _mm512_dpbusd_epi32(sum[chain][r][0], value, w0);
        sum[chain][r][1] = _mm512_dpbusd_epi32(sum[chain][r][1], value, w1);
      }
    };
    size_t s = 0;
    for (; s + kChains <= steps; s += kChains) {
      PODIUM_UNROLL for (int chain = 0; chain < kChains; ++chain) step(s + chain, chain);
    }
    for (; s < steps; ++s) step(s, 0);
    PODIUM_UNROLL for (int half = 0; half < 2; ++half) {
      const size_t column = panel * kPanel + half * kWide;
      const __m512i offset = _mm512_loadu_si512(g.offset + column);
      const __m512 scale = _mm512_loadu_ps(g.scale + column);
      PODIUM_UNROLL for (int r = 0; r < kTile; ++r) {
        __m512i total = sum[0][r][half];
        PODIUM_UNROLL for (int c = 1; c < kChains; ++c) total =
            _mm512_add_epi32(total, sum[c][r][half]);
        total = _mm512_sub_epi32(total, offset);
        const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(g.x_scale[row + r]), scale);
        put(g, row + r, column, _mm512_mul_ps(_mm512_cvtepi32_ps(total), factor));
      }
    }
  }
};

}  // namespace

constinit const KernelTable kAvx512Kernels = table_with(
    run_panels<FloatKernel<float>>, run_panels<FloatKernel<uint16_t>>, run_panels<Int8Kernel>);

}  // namespace podium::kernels
