#include "podium/kernels/packed_matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <span>

#include "podium/base/error.h"

namespace podium::kernels {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::string_view kPrecisions[] = {"fp32", "bf16", "int8", "int4"};

size_t int8_width(size_t inputs) { return (inputs + kInt8Step - 1) / kInt8Step * kInt8Step; }
size_t int4_groups(size_t inputs) { return (inputs + kInt4Group - 1) / kInt4Group; }

// A block of weights as halves 0..15 of bytes: weight = (half - 8) * block. The largest in
// magnitude becomes half 0, so that blocks that were stored so are found again.
float quantize_int4(std::span<const float> weights, std::span<uint8_t> halves) {
  float most = 0;
  for (const float w : weights) {
    if (std::abs(w) > std::abs(most)) most = w;
  }
  const float inverse = std::abs(most) > 1e-30F ? -8 / most : 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    halves[i] = uint8_t(std::clamp(std::lround(weights[i] * inverse) + 8L, 0L, 15L));
  }
  return most / -8;
}

// Puts an output's halves and its multiplier into a group (kernel_table.h has the layout).
void put_int4(std::span<const uint8_t> halves, int16_t multiplier, size_t output, uint8_t* group) {
  for (size_t p = 0; p < halves.size(); ++p) {
    const size_t step = p / kInt8Step;
    uint8_t& both = group[step / 2 * kInt4PairBytes + output * kInt8Step + p % kInt8Step];
    both = step % 2 == 0 ? (both & 0xF0) | halves[p] : (both & 0x0F) | halves[p] << 4;
  }
  std::memcpy(group + kInt4HalvesBytes + output * sizeof multiplier, &multiplier,
              sizeof multiplier);
}

}  // namespace

std::string_view precision_name(Precision precision) { return kPrecisions[size_t(precision)]; }

void PackedMatrix::Free::operator()(std::byte* memory) const {
  ::operator delete[](memory, kAlignment);
}

PackedMatrix::PackedMatrix(const float* weight, size_t outputs, size_t inputs, Precision precision)
    : outputs_(outputs), inputs_(inputs), precision_(precision) {
  const size_t size = std::max<size_t>(64, panels() * panel_bytes());
  panels_.reset(static_cast<std::byte*>(::operator new[](size, kAlignment)));
  std::memset(panels_.get(), 0, size);
  if (precision == Precision::kInt4) {
    pack_int4(weight);
  } else if (precision == Precision::kInt8) {
    pack_int8(weight);
  } else {
    pack_float(weight);
  }
}

size_t PackedMatrix::panel_bytes() const {
  switch (precision_) {
    case Precision::kFp32:
      return inputs_ * kPanel * sizeof(float);
    case Precision::kBf16:
      return inputs_ * kPanel * sizeof(uint16_t);
    case Precision::kInt8:
      return int8_width(inputs_) * kPanel;
    default:
      return int4_groups(inputs_) * kInt4GroupBytes;
  }
}

size_t PackedMatrix::bytes() const {
  return panels() * panel_bytes() + scale_.size() * sizeof(float) +
         offset_.size() * sizeof(int32_t);
}

void PackedMatrix::pack_float(const float* weight) {
  for (size_t j = 0; j < outputs_; ++j) {
    std::byte* const panel = panels_.get() + j / kPanel * panel_bytes();
    for (size_t p = 0; p < inputs_; ++p) {
      const float value = weight[j * inputs_ + p];
      const size_t at = p * kPanel + j % kPanel;
      if (precision_ == Precision::kFp32) {
        std::memcpy(panel + at * sizeof value, &value, sizeof value);
      } else {
        const uint16_t bits = to_bf16(value);
        std::memcpy(panel + at * sizeof bits, &bits, sizeof bits);
      }
    }
  }
}

void PackedMatrix::pack_int8(const float* weight) {
  scale_.assign(panels() * kPanel, 0);
  offset_.assign(panels() * kPanel, 0);
  std::vector<uint8_t> bytes(int8_width(inputs_));
  for (size_t j = 0; j < outputs_; ++j) {
    auto* const panel = reinterpret_cast<int8_t*>(panels_.get() + j / kPanel * panel_bytes());
    const float* const row = weight + j * inputs_;
    // The reference's rounding, so that the weights are the same on every instruction set.
    kScalarKernels.quantize(row, 1, inputs_, bytes.data(), &scale_[j]);
    int32_t sum = 0;
    for (size_t p = 0; p < inputs_; ++p) {
      const auto value = int8_t(bytes[p] - 128);
      panel[(p / kInt8Step * kPanel + j % kPanel) * kInt8Step + p % kInt8Step] = value;
      sum += value;
    }
    offset_[j] = 128 * sum;
  }
}

void PackedMatrix::pack_int4(const float* weight) {
  scale_.assign(panels() * kPanel, 0);
  offset_.assign(panels() * kPanel, 0);
  std::memset(panels_.get(), 0x88, panels() * panel_bytes());  // zeros; multipliers follow
  uint8_t halves[kInt4Group];
  for (size_t j = 0; j < outputs_; ++j) {
    const std::span<const float> row(weight + j * inputs_, inputs_);
    float most = 0;
    for (const float w : row) most = std::max(most, std::abs(w));
    scale_[j] = most / 127;
    int32_t sum = 0;
    for (size_t i = 0; i < int4_groups(inputs_); ++i) {
      auto* const group = reinterpret_cast<uint8_t*>(panels_.get()) + j / kPanel * panel_bytes() +
                          i * kInt4GroupBytes;
      const auto part = row.subspan(i * kInt4Group, std::min(kInt4Group, inputs_ - i * kInt4Group));
      const float block = quantize_int4(part, halves);
      const auto multiplier = int16_t(most > 0 ? std::lround(block / scale_[j] * 2048) : 0);
      put_int4(std::span(halves).first(part.size()), multiplier, j % kPanel, group);
      for (size_t p = 0; p < part.size(); ++p) {
        sum += ((halves[p] - 8) * 16 * multiplier + (1 << 14)) >> 15;
      }
    }
    offset_[j] = 128 * sum;
  }
}

void LinearInput::assign(const float* x, size_t rows, size_t inputs) {
  x_ = x;
  rows_ = rows;
  inputs_ = inputs;
  quantized_ = false;
}

void LinearInput::quantize(const KernelTable& table) {
  if (quantized_) return;
  const size_t width = int8_width(inputs_);
  bytes_.resize(rows_ * width);
  scale_.resize(rows_);
  table.quantize(x_, rows_, inputs_, bytes_.data(), scale_.data());
  quantized_ = true;
}

void PackedMatrix::apply(LinearInput& input, float* y, bool accumulate,
                         const KernelTable& table) const {
  multiply(input, 0, outputs_, y, accumulate, table);
}

void PackedMatrix::apply_range(LinearInput& input, size_t begin, size_t end, float* y) const {
  PODIUM_CHECK(begin % kPanel == 0 && begin <= end && end <= outputs_);
  multiply(input, begin, end, y, false, active_kernels());
}

void PackedMatrix::multiply(LinearInput& input, size_t begin, size_t end, float* y, bool accumulate,
                            const KernelTable& table) const {
  PODIUM_CHECK(input.inputs_ == inputs_);
  PackedGemm g{};
  g.weight = panels_.get() + begin / kPanel * panel_bytes();
  g.x = input.x_;
  g.y = y;
  g.m = input.rows_;
  g.n = g.y_stride = end - begin;
  g.k = g.depth = g.x_stride = inputs_;
  g.accumulate = accumulate;
  switch (precision_) {
    case Precision::kFp32:
      return table.gemm_f32(g);
    case Precision::kBf16:
      return table.gemm_bf16(g);
    case Precision::kInt8:
    case Precision::kInt4:
      input.quantize(table);
      g.depth = int8_width(inputs_);
      g.x = input.bytes_.data();
      g.x_scale = input.scale_.data();
      g.scale = scale_.data() + begin;
      g.offset = offset_.data() + begin;
      if (precision_ == Precision::kInt8) return table.gemm_int8(g);
      input.unpacked_.resize(int4_groups(inputs_) * kInt4Group * kPanel);
      g.unpacked = input.unpacked_.data();
      return table.gemm_int4(g);
  }
}

}  // namespace podium::kernels
