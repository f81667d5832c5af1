// MinHash against the Jaccard similarity that it estimates.
#include "podium/policy/min_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "podium/base/rng.h"

namespace podium::policy {
namespace {

using Hashes = std::vector<uint64_t>;

double jaccard(const Hashes& a, const Hashes& b) {
  Hashes common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return double(common.size()) / double(a.size() + b.size() - common.size());
}

TEST(MinHash, ShinglesAreRunsOfWords) {
  EXPECT_EQ(shingles("The quick, brown fox!", 1).size(), 4U);
  EXPECT_EQ(shingles("The quick, brown fox!", 2).size(), 3U);
  EXPECT_EQ(shingles("the the the", 1).size(), 1U);
  EXPECT_EQ(shingles("one two", 5), shingles("ONE--two", 2));  // shorter: all its words
  EXPECT_EQ(shingles("Caf\xc3\xa9", 1), shingles("caf\xc3\xa9 ", 1));
  EXPECT_NE(shingles("ab c", 2), shingles("a bc", 2));
  EXPECT_TRUE(shingles("", 1).empty());
  EXPECT_TRUE(shingles(" .,- ", 2).empty());
  EXPECT_FALSE(min_hash({}).has_value());
}

TEST(MinHash, EstimatesWhatIsInCommon) {
  Rng rng(3);
  double error = 0, square = 0;
  const int pairs = 300;
  for (int pair = 0; pair < pairs; ++pair) {
    std::string a, b;
    const uint64_t common = rng.below(101);
    for (uint64_t word = 0; word < 100; ++word) {
      const std::string text = "w" + std::to_string(rng.next()) + " ";
      a += text;
      b += word < common ? text : "v" + std::to_string(rng.next()) + " ";
    }
    const Hashes x = shingles(a, 1), y = shingles(b, 1);
    const double estimate = estimated_jaccard(*min_hash(x), *min_hash(y));
    const double misses = estimate - jaccard(x, y);
    EXPECT_LT(std::abs(misses), 0.2);  // 4.5 standard errors
    EXPECT_TRUE(alike(*min_hash(x), *min_hash(y), estimate));
    EXPECT_FALSE(alike(*min_hash(x), *min_hash(y), estimate + 1e-6));
    error += misses / pairs;
    square += misses * misses / pairs;
  }
  EXPECT_LT(std::abs(error), 0.01);  // without bias
  EXPECT_LT(std::sqrt(square), 0.045);
  EXPECT_EQ(estimated_jaccard(*min_hash(shingles("a b c", 1)), *min_hash(shingles("c a b", 1))), 1);
}

}  // namespace
}  // namespace podium::policy
