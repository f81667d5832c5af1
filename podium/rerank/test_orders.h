// Labels and orders, for tests of rewards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace podium::rerank {

using Gains = std::vector<uint8_t>;
using Order = std::vector<int>;

inline Order identity(size_t k) {
  Order order(k);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace podium::rerank
