// The kernels that exist once an instruction set: raw pointers only, so that a file built for one
// set shares no inline function with a file built for another.
//
// gemm_int8 gives the same bits on every instruction set, but for the rounding of accumulate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podium::kernels {

constexpr size_t kPanel = 32;      // outputs of a panel of packed weights
constexpr size_t kInt8Step = 4;    // inputs that lie together in a packed int8 panel
constexpr size_t kInt8Rows = 12;   // rows of int8 inputs that lie together
constexpr size_t kInt4Group = 32;  // inputs that share a multiplier in a packed int4 panel
constexpr size_t kInt4PairBytes = kPanel * kInt8Step;  // two steps of inputs, half a byte each
constexpr size_t kInt4HalvesBytes = kInt4Group * kPanel / 2;
constexpr size_t kInt4GroupBytes = kInt4HalvesBytes + kPanel * sizeof(int16_t);

// How weights lie: in panels of 32 outputs o0 .. o31, one panel after another. In a panel:
//
//   fp32, bf16   an input after another:
//                  [ o0 | o1 | ... | o31 ]
//
//   int8         a step of four inputs after another:
//                  [ o0: i i i i | o1: i i i i | ... | o31: i i i i ]
//                Products of bytes are added by fours: a register takes a step of 16 outputs.
//
//   int4         a group of 32 inputs, eight steps in four pairs, after another, 576 bytes each:
//                  pair 0       [ o0: b b b b | o1: b b b b | ... | o31: b b b b ]
//                  pairs 1-3    the same
//                  multipliers  [ o0 | o1 | ... | o31 ], an int16_t m each
//                Byte j of an output in pair p holds two weights, each as a half q in 0 .. 15:
//                  bits 0-3     input 8 p + j,      of step 2 p
//                  bits 4-7     input 8 p + 4 + j,  of step 2 p + 1
//                so that masks and shifts make of a pair two steps of an int8 panel, with
//                  weight = (16 (q - 8) m + 2^14) >> 15

// y[m, n] = x[m, k] w[n, k]^T (+ y). Of w's last panel, outputs after n are anything; in its last
// step or group, inputs after k are zeros.
struct PackedGemm {
  const void* weight;     // float, bf16 as uint16_t, int8_t, or groups of int4
  const float* scale;     // int8 and int4: [panels * kPanel], of each output
  const int32_t* offset;  // int8 and int4: [panels * kPanel], 128 * sum of the output's weights
  int8_t* unpacked;       // int4: room for an unpacked panel, depth * kPanel
  const void* x;          // float: row r at x + r * x_stride; else uint8_t, value + 128, groups of
                          // kInt8Rows rows (the last may have fewer): [depth / step, rows, step]
  const float* x_scale;   // int8 and int4: [m]
  float* y;               // row r at y + r * y_stride
  size_t m, n, k;
  size_t depth;  // inputs that a panel has room for, at least k; int8: a multiple of kInt8Step;
                 // int4: of x, that of weight is the next multiple of kInt4Group
  size_t x_stride, y_stride;  // elements
  bool accumulate;
};

struct KernelTable {
  float (*dot)(const float* a, const float* b, size_t n);
  float (*squared_distance)(const float* a, const float* b, size_t n);
  void (*axpy)(float alpha, const float* x, float* y, size_t n);
  void (*rms_norm)(const float* x, const float* weight, float* y, size_t n, float eps);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float* y, size_t n,
                     float eps);
  float (*max_of)(const float* x, size_t n);
  float (*exp_and_sum)(float* x, size_t n, float shift);  // x - shift at most 88
  void (*swiglu)(float* gate, const float* up, size_t n);
  void (*gelu)(float* x, size_t n);
  // x: [rows, n]. q: round(x / scale) + 128 in the layout of PackedGemm's x, 128 in the last step
  // after n; scale: [rows], max |x| / 127.
  void (*quantize)(const float* x, size_t rows, size_t n, uint8_t* q, float* scale);

  void (*gemm_f32)(const PackedGemm& g);
  void (*gemm_bf16)(const PackedGemm& g);
  void (*gemm_int8)(const PackedGemm& g);
  void (*gemm_int4)(const PackedGemm& g);
};

extern const KernelTable kScalarKernels, kAvx2Kernels, kAvx512Kernels;

}  // namespace podium::kernels
