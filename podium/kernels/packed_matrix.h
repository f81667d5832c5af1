// Weights of a linear layer, packed once for the kernels of every instruction set, in fp32, bf16,
// int8 (one scale an output; inputs are quantised on the fly, one scale a row) or int4 (blocks of
// 32 inputs with a scale of their own, as GGUF's Q4_0; unpacked to int8 panel by panel).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "podium/kernels/isa.h"

namespace podium::kernels {

enum class Precision { kFp32, kBf16, kInt8, kInt4 };

std::string_view precision_name(Precision precision);  // "fp32", "bf16", "int8", "int4"

// To nearest, ties to even.
inline uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// The inputs of linear layers, with their int8 form made when a layer first asks for it and kept
// for the others. One a thread, used again and again.
class LinearInput {
 public:
  void assign(const float* x, size_t rows, size_t inputs);  // x: [rows, inputs], kept by pointer
  size_t rows() const { return rows_; }

 private:
  friend class PackedMatrix;
  void quantize(const KernelTable& table);

  const float* x_ = nullptr;
  size_t rows_ = 0, inputs_ = 0;
  bool quantized_ = false;
  std::vector<uint8_t> bytes_;
  std::vector<float> scale_;
  std::vector<int8_t> unpacked_;  // an int4 panel
};

// Immutable and thread-safe.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // weight: [outputs, inputs], row-major.
  PackedMatrix(const float* weight, size_t outputs, size_t inputs, Precision precision);

  size_t outputs() const { return outputs_; }
  size_t inputs() const { return inputs_; }
  Precision precision() const { return precision_; }
  size_t bytes() const;  // of weights, scales and offsets

  // y[rows, outputs] = x w^T (+ y if accumulate).
  void apply(LinearInput& input, float* y, bool accumulate = false,
             const KernelTable& table = active_kernels()) const;
  // y[rows, end - begin]: the outputs from begin, a multiple of kPanel, to end only.
  void apply_range(LinearInput& input, size_t begin, size_t end, float* y) const;

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  void multiply(LinearInput& input, size_t begin, size_t end, float* y, bool accumulate,
                const KernelTable& table) const;
  void pack_float(const float* weight);
  void pack_int8(const float* weight);
  void pack_int4(const float* weight);
  size_t panels() const { return (outputs_ + kPanel - 1) / kPanel; }
  size_t panel_bytes() const;

  size_t outputs_ = 0, inputs_ = 0;
  Precision precision_ = Precision::kFp32;
  std::unique_ptr<std::byte[], Free> panels_;  // 64-byte aligned
  std::vector<float> scale_;                   // int8, int4: [panels * kPanel]
  std::vector<int32_t> offset_;                // the same
};

}  // namespace podium::kernels
