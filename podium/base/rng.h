// One deterministic random generator for the whole engine (xoshiro256**, Blackman and Vigna 2018).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace podium {

// Same seed, same numbers, on every machine and compiler (no std::distribution inside).
// Not thread-safe: give each thread or stage its own by fork().
class Rng {
 public:
  explicit Rng(uint64_t seed);

  uint64_t next();             // uniform over 64 bits
  uint64_t below(uint64_t n);  // uniform in [0, n), n > 0, unbiased
  double uniform();            // uniform in [0, 1)
  double normal();             // standard normal (polar method, no cached second value)
  double gumbel();             // standard Gumbel, for sampling by arg max

  // A generator whose stream depends on this one's seed and the name or number alone, so that
  // adding a draw somewhere never shifts the numbers drawn elsewhere.
  Rng fork(std::string_view name) const;
  Rng fork(uint64_t number) const;

  // Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

// A 64-bit hash of bytes that never changes between versions (FNV-1a, finalised by splitmix64).
uint64_t stable_hash(std::string_view bytes, uint64_t seed = 0);

}  // namespace podium
