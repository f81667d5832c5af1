// AVX2 with FMA. Sixteen registers: a tile holds half a panel.
#include <immintrin.h>

#include "podium/kernels/kernel_table.h"
// The order matters: gemm.inc uses kernel_table.h.
#include "podium/kernels/gemm.inc"
#define PODIUM_WIDTH 8
#include "podium/kernels/vector.inc"

namespace podium::kernels {
namespace {

constexpr size_t kHalf = kPanel / 2;

// Outputs column .. column + 8 of a row; those from n on are not touched.
inline void put(const PackedGemm& g, size_t row, size_t column, __m256 value) {
  float* y = g.y + row * g.y_stride + column;
  if (column + 8 <= g.n) {
    _mm256_storeu_ps(y, g.accumulate ? _mm256_add_ps(_mm256_loadu_ps(y), value) : value);
    return;
  }
  float lanes[8];
  _mm256_storeu_ps(lanes, value);
  for (size_t j = 0; column + j < g.n; ++j) y[j] = g.accumulate ? y[j] + lanes[j] : lanes[j];
}

inline __m256 load8(const float* w) { return _mm256_loadu_ps(w); }
inline __m256 load8(const uint16_t* w) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

template <class Stored>
struct FloatKernel : StoredPanels<Stored> {
  static constexpr size_t kRows = 6;
  static size_t row_bytes(size_t k) { return k * sizeof(float); }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const Stored* w) {
    half<kTile>(g, row, panel, 0, w);
    if (panel * kPanel + kHalf < g.n) half<kTile>(g, row, panel, kHalf, w);
  }

  template <int kTile>
  static void half(const PackedGemm& g, size_t row, size_t panel, size_t begin, const Stored* w) {
    w += begin;
    const auto* x = static_cast<const float*>(g.x) + row * g.x_stride;
    __m256 sum[kTile][2] = {};
    for (size_t p = 0; p < g.k; ++p, w += kPanel) {
      const __m256 w0 = load8(w), w1 = load8(w + 8);
      unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
        const __m256 value = _mm256_broadcast_ss(x + kRow * g.x_stride + p);
        sum[kRow][0] = _mm256_fmadd_ps(value, w0, sum[kRow][0]);
        sum[kRow][1] = _mm256_fmadd_ps(value, w1, sum[kRow][1]);
      });
    }
    const size_t column = panel * kPanel + begin;
    unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
      put(g, row + kRow, column, sum[kRow][0]);
      if (column + 8 < g.n) put(g, row + kRow, column + 8, sum[kRow][1]);
    });
  }
};

// Bytes widen to 16 bits, where the products of four inputs add up in pairs without overflow.
struct Int8Kernel : StoredPanels<int8_t> {
  static constexpr size_t kRows = 2;
  static size_t row_bytes(size_t k) { return k; }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const int8_t* w) {
    half<kTile>(g, row, panel, 0, w);
    if (panel * kPanel + kHalf < g.n) half<kTile>(g, row, panel, kHalf, w);
  }

  template <int kTile>
  static void half(const PackedGemm& g, size_t row, size_t panel, size_t begin, const int8_t* w) {
    const size_t steps = (g.k + kInt8Step - 1) / kInt8Step;
    w += begin * kInt8Step;
    const Int8Group group(g, row);
    __m256i sum[kTile][4] = {};
    for (size_t step = 0; step < steps; ++step, w += kPanel * kInt8Step) {
      const uint8_t* const x = group.x + step * group.stride;
      unrolled<4>([&]<int kQuarter>() PODIUM_INLINE {
        const __m256i weight =
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w) + kQuarter));
        unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
          int four;
          __builtin_memcpy(&four, x + kRow * kInt8Step, sizeof four);
          const __m256i value = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
          __m256i& total = sum[kRow][kQuarter];
          total = _mm256_add_epi32(total, _mm256_madd_epi16(value, weight));
        });
      });
    }
    const size_t column = panel * kPanel + begin;
    unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
      finish(g, row + kRow, column, sum[kRow][0], sum[kRow][1]);
      if (column + 8 < g.n) finish(g, row + kRow, column + 8, sum[kRow][2], sum[kRow][3]);
    });
  }

  // Lanes of a and b: pairs of partial sums of outputs 0-3 and 4-7.
  static void finish(const PackedGemm& g, size_t row, size_t column, __m256i a, __m256i b) {
    const __m256i mixed = _mm256_hadd_epi32(a, b);  // 0 1 4 5 2 3 6 7
    __m256i total = _mm256_permute4x64_epi64(mixed, 0xD8);
    total = _mm256_sub_epi32(
        total, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(g.offset + column)));
    const __m256 scale =
        _mm256_mul_ps(_mm256_set1_ps(g.x_scale[row]), _mm256_loadu_ps(g.scale + column));
    put(g, row, column, _mm256_mul_ps(_mm256_cvtepi32_ps(total), scale));
  }
};

}  // namespace

constinit const KernelTable kAvx2Kernels =
    table_with(quantize, run_panels<FloatKernel<float>>, run_panels<FloatKernel<uint16_t>>,
               run_panels<Int8Kernel>, run_panels<Int4Kernel<Int8Kernel, unpack_int4>>);

}  // namespace podium::kernels
