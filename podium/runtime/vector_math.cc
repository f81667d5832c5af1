#include "podium/runtime/vector_math.h"

#include <algorithm>
#include <bit>
#include <cstdint>

// A function of several instruction sets, chosen by the loader (GCC alone has it for C++ well).
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PODIUM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PODIUM_CLONES
#endif

namespace podium::runtime {
namespace {

constexpr size_t kLanes = 16;

inline float fast_exp(float x) {
  x = std::min(std::max(x, -87.0F), 88.0F);
  // Adding 1.5 * 2^23 rounds to a whole number, which the low mantissa bits then hold.
  constexpr float kRound = 12582912.0F;
  const float shifted = x * 1.44269504088896341F + kRound;
  const float whole = shifted - kRound;
  const float r = (x - whole * 0.693359375F) - whole * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const auto exponent = static_cast<uint32_t>(static_cast<int32_t>(whole) + 127) << 23;
  return p * std::bit_cast<float>(exponent);
}

}  // namespace

PODIUM_CLONES float max_of(const float* x, size_t n) {
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, x[0]);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  }
  for (; i < n; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  return *std::max_element(lanes, lanes + kLanes);
}

PODIUM_CLONES float exp_and_sum(float* x, size_t n, float shift) {
  for (size_t i = 0; i < n; ++i) x[i] = fast_exp(x[i] - shift);
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j];
  }
  for (; i < n; ++i) lanes[0] += x[i];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

double sum_of_exp(const float* x, size_t n, float shift) {
  constexpr size_t kBlock = 256;
  float block[kBlock];
  double sum = 0;
  for (size_t at = 0; at < n; at += kBlock) {
    const size_t size = std::min(kBlock, n - at);
    std::copy_n(x + at, size, block);
    sum += exp_and_sum(block, size, shift);
  }
  return sum;
}

PODIUM_CLONES void swiglu(float* gate, const float* up, size_t n) {
  for (size_t i = 0; i < n; ++i) gate[i] = gate[i] / (1.0F + fast_exp(-gate[i])) * up[i];
}

}  // namespace podium::runtime
