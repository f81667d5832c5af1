#include "podium/serve/window.h"

#include <algorithm>
#include <cmath>

namespace podium::serve {
namespace {

constexpr double kFirst = .05, kGrowth = 1.25;

}  // namespace

void Window::add(int64_t second, double ms, bool error, bool refused) {
  const int64_t step = second / kStep;
  Slot& slot = slots_[size_t(step) % kSlots];
  if (slot.step != step) slot = Slot{.step = step};
  ++slot.count;
  slot.errors += error;
  slot.refused += refused;
  const double bucket = ms <= kFirst ? 0 : std::ceil(std::log(ms / kFirst) / std::log(kGrowth));
  ++slot.buckets[size_t(std::min(bucket, double(kBuckets - 1)))];
}

void Window::merge(const Slot& slot, Slot& into) {
  into.count += slot.count;
  into.errors += slot.errors;
  into.refused += slot.refused;
  for (size_t b = 0; b < kBuckets; ++b) into.buckets[b] += slot.buckets[b];
}

Window::Sum Window::summed(const Slot& slot) {
  Sum sum{slot.count, slot.errors, slot.refused, {}, {}};
  const auto quantile = [&](double q) -> std::optional<double> {
    uint64_t seen = 0;
    for (size_t b = 0; b < kBuckets; ++b) {
      seen += slot.buckets[b];
      if (seen > 0 && double(seen) >= q * double(slot.count)) {
        return kFirst * std::pow(kGrowth, double(b));
      }
    }
    return std::nullopt;
  };
  sum.p50_ms = quantile(.5);
  sum.p99_ms = quantile(.99);
  return sum;
}

Window::Sum Window::sum(int64_t now) const {
  Slot all;
  for (const Slot& slot : slots_) {
    if (slot.step > now / kStep - int64_t(kSlots)) merge(slot, all);
  }
  return summed(all);
}

std::vector<Window::Sum> Window::series(int64_t now) const {
  std::vector<Sum> sums;
  for (size_t back = kSlots; back-- > 0;) {
    const int64_t step = now / kStep - int64_t(back);
    const Slot& slot = slots_[size_t(std::max<int64_t>(0, step)) % kSlots];
    sums.push_back(slot.step == step ? summed(slot) : Sum{});
  }
  return sums;
}

}  // namespace podium::serve
