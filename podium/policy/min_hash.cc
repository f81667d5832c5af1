#include "podium/policy/min_hash.h"

#include <algorithm>
#include <string>

#include "podium/base/rng.h"

namespace podium::policy {
namespace {

bool in_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

// In lower case, one blank between them; begins: where each begins, and one past the end.
std::string words_of(std::string_view text, std::vector<size_t>& begins) {
  std::string words;
  bool inside = false;
  for (const char c : text) {
    const bool letter = in_word(c);
    if (letter && !inside) {
      if (!words.empty()) words += ' ';
      begins.push_back(words.size());
    }
    if (letter) words += lower(c);
    inside = letter;
  }
  begins.push_back(words.size() + 1);
  return words;
}

uint32_t same(const MinHash& a, const MinHash& b, size_t begin, size_t end) {
  uint32_t count = 0;
  for (size_t h = begin; h < end; ++h) count += a[h] == b[h] ? 1 : 0;
  return count;
}

}  // namespace

std::vector<uint64_t> shingles(std::string_view text, int words) {
  std::vector<size_t> begins;
  const std::string all = words_of(text, begins);
  const size_t count = begins.size() - 1;
  std::vector<uint64_t> hashes;
  if (count == 0) return hashes;
  const size_t run = std::min(size_t(words), count);
  for (size_t first = 0; first + run <= count; ++first) {
    const size_t end = begins[first + run] - 1;  // before the blank
    hashes.push_back(stable_hash(std::string_view(all).substr(begins[first], end - begins[first])));
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

std::optional<MinHash> min_hash(const std::vector<uint64_t>& shingles) {
  if (shingles.empty()) return std::nullopt;
  MinHash least;
  least.fill(~uint32_t{0});
  for (const uint64_t shingle : shingles) {
    const auto first = uint32_t(shingle), step = uint32_t(shingle >> 32);
    for (uint32_t h = 0; h < kMinHashes; ++h) least[h] = std::min(least[h], first + h * step);
  }
  return least;
}

double estimated_jaccard(const MinHash& a, const MinHash& b) {
  return double(same(a, b, 0, kMinHashes)) / double(kMinHashes);
}

bool alike(const MinHash& a, const MinHash& b, double threshold) {
  constexpr size_t kPart = 32;
  uint32_t found = 0;
  for (size_t done = 0; done < kMinHashes; done += kPart) {
    const size_t at_most = found + (kMinHashes - done);
    if (double(at_most) / double(kMinHashes) < threshold) return false;
    found += same(a, b, done, done + kPart);
  }
  return double(found) / double(kMinHashes) >= threshold;
}

}  // namespace podium::policy
