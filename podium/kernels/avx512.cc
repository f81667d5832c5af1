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

// Where the sums of a tile go: sixteen columns from `column` on, but for those after n.
class Output {
 public:
  Output(const PackedGemm& g, size_t row, size_t column)
      : y_(g.y + row * g.y_stride + column), stride_(g.y_stride), accumulate_(g.accumulate) {
    const size_t left = g.n > column ? g.n - column : 0;
    mask_ = static_cast<__mmask16>(left >= kWide ? 0xFFFF : (1U << left) - 1);
  }
  PODIUM_INLINE void put(int row, __m512 value) const {
    float* const y = y_ + row * stride_;
    if (accumulate_) value = _mm512_add_ps(_mm512_maskz_loadu_ps(mask_, y), value);
    _mm512_mask_storeu_ps(y, mask_, value);
  }
  // a b, rounded once with what it is added to: left to itself the compiler does so in some tiles
  // and not in others.
  PODIUM_INLINE void put_product(int row, __m512 a, __m512 b) const {
    float* const y = y_ + row * stride_;
    const __m512 value =
        accumulate_ ? _mm512_fmadd_ps(a, b, _mm512_maskz_loadu_ps(mask_, y)) : _mm512_mul_ps(a, b);
    _mm512_mask_storeu_ps(y, mask_, value);
  }

 private:
  float* y_;
  size_t stride_;
  bool accumulate_;
  __mmask16 mask_;
};

// Asks for the lines that a tile will write before its sums are known: they may be far away.
inline void fetch_output(const PackedGemm& g, size_t row, size_t panel, int rows) {
  for (int r = 0; r < rows; ++r) {
    const float* const y = g.y + (row + r) * g.y_stride + panel * kPanel;
    __builtin_prefetch(y, 1);
    __builtin_prefetch(y + kWide, 1);
  }
}

inline __m512 load16(const float* w) { return _mm512_loadu_ps(w); }
inline __m512 load16(const uint16_t* w) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// Each sum is one chain of additions, whatever the number of rows: its last bits must not depend on
// what else is computed in the same product.
template <class Stored>
struct FloatKernel : StoredPanels<Stored> {
  static constexpr size_t kRows = 12;
  static size_t row_bytes(size_t k) { return k * sizeof(float); }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const Stored* w) {
    const auto* x = static_cast<const float*>(g.x) + row * g.x_stride;
    const size_t stride = g.x_stride;
    const Output low(g, row, panel * kPanel), high(g, row, panel * kPanel + kWide);
    fetch_output(g, row, panel, kTile);
    __m512 sum[kTile][2] = {};
    for (size_t p = 0; p < g.k; ++p, w += kPanel) {
      const __m512 w0 = load16(w), w1 = load16(w + kWide);
      unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
        const __m512 value = _mm512_set1_ps(x[kRow * stride + p]);
        sum[kRow][0] = _mm512_fmadd_ps(value, w0, sum[kRow][0]);
        sum[kRow][1] = _mm512_fmadd_ps(value, w1, sum[kRow][1]);
      });
    }
    unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
      low.put(kRow, sum[kRow][0]);
      high.put(kRow, sum[kRow][1]);
    });
  }
};

// Int8 sums kept apart for the steps of k that are in flight at once: with few rows a single chain
// of additions would wait for itself.
constexpr int chains(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

// sum + the products of four bytes of value and weight. In assembler, as GCC would copy the sum.
PODIUM_INLINE inline __m512i add_products(__m512i sum, __m512i value, __m512i weight) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(value), "v"(weight));
  return sum;
}

struct Int8Kernel : StoredPanels<int8_t> {
  static constexpr size_t kRows = kInt8Rows;
  static size_t row_bytes(size_t k) { return k; }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const int8_t* w) {
    constexpr int kChains = chains(kTile);
    const size_t steps = (g.k + kInt8Step - 1) / kInt8Step;
    const Int8Group group(g, row);
    fetch_output(g, row, panel, kTile);
    __m512i sum[kChains][kTile][2] = {};
    const auto step = [&]<int kChain>(size_t s) PODIUM_INLINE {
      const __m512i w0 = _mm512_loadu_si512(w + s * kPanel * kInt8Step);
      const __m512i w1 = _mm512_loadu_si512(w + (s * kPanel + kWide) * kInt8Step);
      const uint8_t* const x = group.x + s * group.stride;
      unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
        int four;
        __builtin_memcpy(&four, x + kRow * kInt8Step, sizeof four);
        const __m512i value = _mm512_set1_epi32(four);
        sum[kChain][kRow][0] = add_products(sum[kChain][kRow][0], value, w0);
        sum[kChain][kRow][1] = add_products(sum[kChain][kRow][1], value, w1);
      });
    };
    size_t s = 0;
    for (; s + kChains <= steps; s += kChains) {
      unrolled<kChains>([&]<int kChain>()
                            PODIUM_INLINE { step.template operator()<kChain>(s + kChain); });
    }
    for (; s < steps; ++s) step.template operator()<0>(s);
    unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
      unrolled<2>([&]<int kHalf>() PODIUM_INLINE {
        unrolled<kChains - 1>([&]<int kChain>() PODIUM_INLINE {
          sum[0][kRow][kHalf] = _mm512_add_epi32(sum[0][kRow][kHalf], sum[kChain + 1][kRow][kHalf]);
        });
      });
    });
    finish<kTile>(g, row, panel, sum[0]);
  }

  // The sums of a tile to floats, and out.
  template <int kTile>
  PODIUM_INLINE static void finish(const PackedGemm& g, size_t row, size_t panel,
                                   const __m512i (&sum)[kTile][2]) {
    const size_t column = panel * kPanel;
    const Output out[2] = {{g, row, column}, {g, row, column + kWide}};
    const float* const x_scale = g.x_scale + row;
    unrolled<2>([&]<int kHalf>() PODIUM_INLINE {
      const __m512i offset = _mm512_loadu_si512(g.offset + column + kHalf * kWide);
      const __m512 scale = _mm512_loadu_ps(g.scale + column + kHalf * kWide);
      unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
        const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(x_scale[kRow]), scale);
        const __m512i total = _mm512_sub_epi32(sum[kRow][kHalf], offset);
        out[kHalf].put_product(kRow, _mm512_cvtepi32_ps(total), factor);
      });
    });
  }
};

// One half of the outputs of an int4 group: take(pair, first step, second) for each two steps.
// Bits 4 - 7 of a byte are 16 times its high half; the bytes of 16-bit lanes are taken apart, as
// there is no product of bytes.
template <class Take>
PODIUM_INLINE inline void each_int4_pair(const uint8_t* group, int half, const Take& take) {
  const __m512i high = _mm512_set1_epi16(0xF0), zero = _mm512_set1_epi16(128);
  const __m512i low_byte = _mm512_set1_epi16(0xFF);
  const auto* multipliers = reinterpret_cast<const __m256i*>(group + kInt4HalvesBytes);
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(multipliers + half));
  const __m512i multiplier = _mm512_or_si512(wide, _mm512_slli_epi32(wide, 16));
  const auto scaled = [&](__m512i x) PODIUM_INLINE {
    return _mm512_mulhrs_epi16(_mm512_sub_epi16(_mm512_and_si512(x, high), zero), multiplier);
  };
  const auto joined = [&](__m512i even, __m512i odd) PODIUM_INLINE {
    return _mm512_or_si512(_mm512_and_si512(scaled(even), low_byte),
                           _mm512_slli_epi16(scaled(odd), 8));
  };
  unrolled<kInt4Group / kInt8Step / 2>([&]<int kPair>() PODIUM_INLINE {
    const __m512i both =
        _mm512_loadu_si512(group + kPair * kInt4PairBytes + half * sizeof(__m512i));
    take(kPair, joined(_mm512_slli_epi16(both, 4), _mm512_srli_epi16(both, 4)),
         joined(both, _mm512_srli_epi16(both, 8)));
  });
}

void unpack_group(const uint8_t* group, int8_t* to) {
  constexpr size_t kStep = kPanel * kInt8Step;
  for (int half = 0; half < 2; ++half) {
    each_int4_pair(group, half, [&](int pair, __m512i first, __m512i second) PODIUM_INLINE {
      int8_t* const out = to + 2 * pair * kStep + half * sizeof(__m512i);
      _mm512_storeu_si512(out, first);
      _mm512_storeu_si512(out + kStep, second);
    });
  }
}

// A few rows, by weights that are unpacked in registers and used at once.
struct FewRowsInt4Kernel : Int4Panels {
  static constexpr size_t kRows = 3;
  static size_t row_bytes(size_t k) { return k; }

  template <int kTile>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const uint8_t* w) {
    const Int8Group group(g, row);
    const size_t steps = (g.k + kInt8Step - 1) / kInt8Step;
    __m512i sum[2][kTile][2] = {};  // of the first and second steps of the pairs
    // Of the last group x may have fewer steps.
    const auto add_group = [&]<bool kWhole>(size_t s) PODIUM_INLINE {
      unrolled<2>([&]<int kHalf>() PODIUM_INLINE {
        each_int4_pair(w, kHalf, [&](int pair, __m512i first, __m512i second) PODIUM_INLINE {
          const auto add = [&]<int kStep>(__m512i weights) PODIUM_INLINE {
            const size_t at = s + 2 * size_t(pair) + kStep;
            if (!kWhole && at >= steps) return;
            unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
              int four;
              __builtin_memcpy(&four, group.x + at * group.stride + kRow * kInt8Step, sizeof four);
              __m512i& total = sum[kStep][kRow][kHalf];
              total = add_products(total, _mm512_set1_epi32(four), weights);
            });
          };
          add.template operator()<0>(first);
          add.template operator()<1>(second);
        });
      });
      w += kInt4GroupBytes;
    };
    constexpr size_t kSteps = kInt4Group / kInt8Step;
    size_t s = 0;
    for (; s + kSteps <= steps; s += kSteps) add_group.template operator()<true>(s);
    if (s < steps) add_group.template operator()<false>(s);
    unrolled<kTile>([&]<int kRow>() PODIUM_INLINE {
      sum[0][kRow][0] = _mm512_add_epi32(sum[0][kRow][0], sum[1][kRow][0]);
      sum[0][kRow][1] = _mm512_add_epi32(sum[0][kRow][1], sum[1][kRow][1]);
    });
    Int8Kernel::finish<kTile>(g, row, panel, sum[0]);
  }
};

void gemm_int4(const PackedGemm& g) {
  if (g.m <= FewRowsInt4Kernel::kRows) {
    run_panels<FewRowsInt4Kernel>(g);
  } else {
    run_panels<Int4Kernel<Int8Kernel, unpack_group>>(g);
  }
}

// Rows first .. first + kCount of a group of `rows`, whose bytes begin at q. Packing four rows'
// whole numbers to bytes leaves in each 128 bits one step of every row, as the group has them.
template <int kCount>
void quantize_some(const float* x, size_t n, uint8_t* q, size_t rows, float* scale) {
  const auto lanes = [&](size_t at) {
    return static_cast<__mmask16>(n - at >= kWide ? 0xFFFF : (1U << (n - at)) - 1);
  };
  __m512 top[4] = {};
  for (size_t at = 0; at < n; at += kWide) {
    unrolled<kCount>([&]<int kRow>() PODIUM_INLINE {
      const __m512 v = _mm512_maskz_loadu_ps(lanes(at), x + kRow * n + at);
      top[kRow] = _mm512_max_ps(top[kRow], _mm512_abs_ps(v));
    });
  }
  __m512 factor[4] = {};
  unrolled<kCount>([&]<int kRow>() PODIUM_INLINE {
    const float most = _mm512_reduce_max_ps(top[kRow]);
    factor[kRow] = _mm512_set1_ps(quantizing_factor(most));
    scale[kRow] = most / 127.0F;
  });
  const auto used = static_cast<__mmask8>((1U << kCount) - 1);
  for (size_t at = 0; at < n; at += kWide) {
    __m512i whole[4] = {};
    unrolled<kCount>([&]<int kRow>() PODIUM_INLINE {
      const __m512 v = _mm512_maskz_loadu_ps(lanes(at), x + kRow * n + at);
      whole[kRow] = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(v, factor[kRow])),
                                     _mm512_set1_epi32(128));
    });
    const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(whole[0], whole[1]),
                                              _mm512_packs_epi32(whole[2], whole[3]));
    uint8_t* to = q + at * rows;
    unrolled<4>([&]<int kStep>() PODIUM_INLINE {
      if (at + kStep * kInt8Step >= n) return;
      _mm_mask_storeu_epi32(to + kStep * kInt8Step * rows, used,
                            _mm512_extracti32x4_epi32(bytes, kStep));
    });
  }
}

void quantize_groups(const float* x, size_t rows, size_t n, uint8_t* q, float* scale) {
  for (size_t begin = 0; begin < rows; begin += kInt8Rows) {
    const size_t count = rows - begin < kInt8Rows ? rows - begin : kInt8Rows;
    for (size_t r = 0; r < count; r += 4) {
      const float* const from = x + (begin + r) * n;
      uint8_t* const to = q + begin * int8_width(n) + r * kInt8Step;
      float* const scales = scale + begin + r;
      switch (count - r) {
        case 1:
          quantize_some<1>(from, n, to, count, scales);
          break;
        case 2:
          quantize_some<2>(from, n, to, count, scales);
          break;
        case 3:
          quantize_some<3>(from, n, to, count, scales);
          break;
        default:
          quantize_some<4>(from, n, to, count, scales);
      }
    }
  }
}

}  // namespace

constinit const KernelTable kAvx512Kernels =
    table_with(quantize_groups, run_panels<FloatKernel<float>>, run_panels<FloatKernel<uint16_t>>,
               run_panels<Int8Kernel>, gemm_int4);

}  // namespace podium::kernels
