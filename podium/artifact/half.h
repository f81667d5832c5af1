// 16-bit floating point numbers as float: IEEE 754 binary16 and bfloat16 (the upper half of a
// float). Both are exact; infinities and NaN stay what they are.
#pragma once

#include <bit>
#include <cstdint>

namespace podium::artifact {

inline float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float value = float(mantissa) * 0x1.0p-24F;
    return sign ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

inline float bf16_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

}  // namespace podium::artifact
