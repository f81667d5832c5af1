// How HSTU sees time: the gap between two moments, in half octaves. In whole numbers, so that the
// trainer and the server agree bit for bit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace podium::sequence {

constexpr int kTimeBuckets = 64;

// Seconds to bucket: 0 -> 0 (and anything below), 1 -> 1, 2 -> 3, 3 -> 4, 4..5 -> 5, 6..7 -> 6, ...
constexpr int time_bucket(int64_t seconds) {
  if (seconds <= 0) return 0;
  const auto gap = uint64_t(seconds);
  const int bits = int(std::bit_width(gap));
  const int upper_half = bits > 1 ? int(gap >> (bits - 2) & 1) : 0;
  return std::min(2 * bits - 1 + upper_half, kTimeBuckets - 1);
}

}  // namespace podium::sequence
