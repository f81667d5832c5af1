#include "podium/base/rng.h"

#include <bit>
#include <cmath>

#include "podium/base/error.h"

namespace podium {
namespace {

uint64_t splitmix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) : seed_(seed) {
  uint64_t s = seed;
  for (uint64_t& word : state_) word = splitmix(s);
}

uint64_t Rng::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Rng::below(uint64_t n) {
  PODIUM_CHECK(n > 0);
  const uint64_t threshold = -n % n;  // values under it would favour small results
  uint64_t value = next();
  while (value < threshold) value = next();
  return value % n;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Rng::normal() {
  for (;;) {
    const double u = 2 * uniform() - 1, v = 2 * uniform() - 1;
    const double s = u * u + v * v;
    if (s > 0 && s < 1) return u * std::sqrt(-2 * std::log(s) / s);
  }
}

double Rng::gumbel() {
  double u = uniform();
  while (u <= 0) u = uniform();
  return -std::log(-std::log(u));
}

Rng Rng::fork(std::string_view name) const { return Rng(stable_hash(name, seed_)); }

Rng Rng::fork(uint64_t number) const {
  uint64_t s = seed_ ^ 0xa0761d6478bd642fULL;
  const uint64_t mixed = splitmix(s) ^ number;
  s = mixed;
  return Rng(splitmix(s));
}

uint64_t stable_hash(std::string_view bytes, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return splitmix(hash);
}

}  // namespace podium
