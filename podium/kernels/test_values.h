// Random matrices, for tests.
#pragma once

#include <cstddef>
#include <vector>

#include "podium/base/rng.h"

namespace podium::kernels {

struct Shape {
  size_t m, n, k;
};

inline std::vector<float> random_values(Rng& rng, size_t n) {
  std::vector<float> values(n);
  for (float& value : values) value = float(rng.normal());
  return values;
}

}  // namespace podium::kernels
