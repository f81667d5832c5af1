// The reference: what every other instruction set is compared with.
#include "podium/kernels/kernel_table.h"
// The order matters: gemm.inc uses kernel_table.h.
#include "podium/kernels/gemm.inc"
#define PODIUM_WIDTH 4
#include "podium/kernels/vector.inc"

namespace podium::kernels {
namespace {

float widen(float value) { return value; }
float widen(uint16_t bits) { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }

template <class Stored>
void gemm_float(const PackedGemm& g) {
  const auto* x = static_cast<const float*>(g.x);
  for (size_t i = 0; i < g.m; ++i) {
    for (size_t j = 0; j < g.n; ++j) {
      const auto* w =
          static_cast<const Stored*>(g.weight) + j / kPanel * g.depth * kPanel + j % kPanel;
      float sum = 0;
      for (size_t p = 0; p < g.k; ++p) sum += x[i * g.x_stride + p] * widen(w[p * kPanel]);
      float& y = g.y[i * g.y_stride + j];
      y = g.accumulate ? y + sum : sum;
    }
  }
}

struct Int8Kernel : StoredPanels<int8_t> {
  static constexpr size_t kRows = 1;
  static size_t row_bytes(size_t k) { return k; }

  template <int>
  static void tile(const PackedGemm& g, size_t row, size_t panel, const int8_t* w) {
    const Int8Group group(g, row);
    for (size_t j = panel * kPanel; j < g.n && j < (panel + 1) * kPanel; ++j) {
      int32_t sum = -g.offset[j];
      for (size_t p = 0; p < int8_width(g.k); ++p) {
        sum += group.x[p / kInt8Step * group.stride + p % kInt8Step] *
               w[(p / kInt8Step * kPanel + j % kPanel) * kInt8Step + p % kInt8Step];
      }
      const float value = static_cast<float>(sum) * (g.x_scale[row] * g.scale[j]);
      float& y = g.y[row * g.y_stride + j];
      y = g.accumulate ? y + value : value;
    }
  }
};

}  // namespace

constinit const KernelTable kScalarKernels =
    table_with(quantize, gemm_float<float>, gemm_float<uint16_t>, run_panels<Int8Kernel>,
               run_panels<Int4Kernel<Int8Kernel, unpack_int4>>);

}  // namespace podium::kernels
