// Packed products of any shape and any values: the instruction sets agree, and write nothing else.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "podium/base/error.h"
#include "podium/kernels/isa.h"
#include "podium/kernels/packed_matrix.h"

using podium::kernels::LinearInput;
using podium::kernels::PackedMatrix;
using podium::kernels::Precision;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 5) return 0;
  const size_t m = 1 + data[0] % 30, n = 1 + data[1] % 100, k = 1 + data[2] % 80;
  const auto precision = Precision(data[3] % 4);
  const bool accumulate = data[4] % 2 != 0;
  data += 5;
  size -= 5;
  size_t at = 0;
  const auto value = [&] {  // finite, of magnitudes from 1e-6 to 1e6
    if (size == 0) return 0.5F;
    const int byte = int(data[at % size]) + int(at / size % 7);
    ++at;
    return float(byte % 64 - 32) * std::pow(10.0F, float(byte / 64 * 4 - 6));
  };
  std::vector<float> w(n * k), x(m * k), before(m * n + 1);
  for (auto* values : {&w, &x, &before}) std::generate(values->begin(), values->end(), value);
  const PackedMatrix matrix(w.data(), n, k, precision);
  std::vector<float> want = before;
  LinearInput input;
  input.assign(x.data(), m, k);
  matrix.apply(input, want.data(), accumulate, podium::kernels::kScalarKernels);
  for (const auto isa : podium::kernels::supported_isas()) {
    std::vector<float> got = before;
    matrix.apply(input, got.data(), accumulate, podium::kernels::kernel_table(isa));
    PODIUM_CHECK(got.back() == before.back());
    for (size_t i = 0; i < m * n; ++i) {
      double scale = std::abs(before[i]);
      for (size_t p = 0; p < k; ++p) {
        scale += std::abs(double(x[i / n * k + p]) * w[i % n * k + p]);
      }
      const double allowed = precision >= Precision::kInt8 && !accumulate ? 0 : 1e-5 * scale;
      PODIUM_CHECK(std::abs(double(got[i]) - want[i]) <= allowed);
    }
  }
  return 0;
}
