// What the benchmarks share: time, medians, and the machine's own speed to compare with.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/kernels/kernels.h"

namespace podium::bench {

inline double seconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline double percentile(std::vector<double> times, double share) {
  std::sort(times.begin(), times.end());
  return times[size_t(share * double(times.size() - 1))];
}

// Floating-point operations a second of large matrix products on `threads` threads: what this
// machine can do, median of five.
inline double machine_flops(int threads) {
  constexpr size_t kSide = 768;
  const std::vector<float> a(kSide * kSide, 0.5F), b(kSide * kSide, 0.25F);
  std::vector<std::vector<float>> c(size_t(threads), std::vector<float>(kSide * kSide));
  std::vector<double> rates;
  for (int run = 0; run < 5; ++run) {
    constexpr size_t kRepeats = 8;
    const double time = seconds([&] {
      parallel_for(threads, size_t(threads), 1, [&](size_t begin, size_t) {
        for (size_t i = 0; i < kRepeats; ++i) {
          kernels::matmul_nt(a.data(), b.data(), c[begin].data(), kSide, kSide, kSide);
        }
      });
    });
    rates.push_back(2.0 * kSide * kSide * kSide * kRepeats * threads / time);
  }
  return median(rates);
}

// The value after --name, or the default.
inline long argument(int argc, char** argv, const std::string& name, long value) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == "--" + name) value = std::atol(argv[i + 1]);
  }
  return value;
}

// main() of a benchmark that reads files: their errors are told, not thrown.
inline int guarded(int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace podium::bench
