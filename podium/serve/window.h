// Durations of the last ten minutes: how many, and their quantiles.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace podium::serve {

// Not thread-safe. Seconds are of any clock that does not go back.
class Window {
 public:
  static constexpr int64_t kStep = 5;  // seconds of a slot
  static constexpr size_t kSlots = 120;

  void add(int64_t second, double ms, bool error = false, bool refused = false);

  struct Sum {
    uint64_t count = 0, errors = 0, refused = 0;
    // The upper bound of the quarter-wide step that holds the quantile; none without a duration.
    std::optional<double> p50_ms, p99_ms;
  };
  Sum sum(int64_t now) const;
  std::vector<Sum> series(int64_t now) const;  // [kSlots], the newest last

 private:
  static constexpr size_t kBuckets = 62;  // the first up to .05 ms, each 1.25 times the one before
  struct Slot {
    int64_t step = -1;
    uint64_t count = 0, errors = 0, refused = 0;
    std::array<uint32_t, kBuckets> buckets{};
  };
  static void merge(const Slot& slot, Slot& into);
  static Sum summed(const Slot& slot);

  std::array<Slot, kSlots> slots_{};
};

}  // namespace podium::serve
