// Variety by an item's fields and vectors: greedy DPP against the determinants of every choice.
#include "podium/policy/alike.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "podium/base/rng.h"
#include "podium/policy/test_slate.h"

namespace podium::policy {
namespace {

constexpr double kShrunk = 0.9;  // diversify.h: similarities by a tenth

// By its definition, the sum over permutations, row by row.
double leibniz(const std::vector<std::vector<double>>& m, size_t row, uint32_t used) {
  if (row == m.size()) return 1;
  double sum = 0, sign = 1;  // one inversion less for each column that is free and further left
  for (size_t column = 0; column < m.size(); ++column) {
    if (used >> column & 1U) continue;
    if (m[row][column] != 0) {
      sum += sign * m[row][column] * leibniz(m, row + 1, used | 1U << column);
    }
    sign = -sign;
  }
  return sum;
}

double jaccard(const std::set<std::string>& a, const std::set<std::string>& b) {
  size_t common = 0;
  for (const std::string& value : a) common += b.count(value);
  const size_t either = a.size() + b.size() - common;
  return either == 0 ? 0 : double(common) / double(either);
}

TEST(Diversify, GreedyDppIsThatOfTheDeterminants) {
  Diversity rule;
  rule.method = Diversity::Method::kDpp;
  rule.trade = 0.4;
  rule.fields = {"tags", "brand"};
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Rng rng = Rng(21).fork(seed);
    const size_t n = 3 + rng.below(6);
    TestSlate slate;
    std::vector<std::set<std::string>> values(n);
    std::vector<double> scores;
    for (size_t i = 0; i < n; ++i) {
      const std::string tag = "t" + std::to_string(rng.below(3));
      const std::string other = "t" + std::to_string(rng.below(5));
      const std::string brand = "b" + std::to_string(rng.below(3));
      slate.add(std::to_string(i), {{"tags", texts({tag, other})}, {"brand", brand}});
      values[i] = {tag, other, brand};
      scores.push_back(1 - double(i) / double(n - 1));
    }
    const auto determinant = [&](const std::vector<int>& chosen) {
      std::vector<std::vector<double>> m;
      for (const int a : chosen) {
        m.emplace_back();
        for (const int b : chosen) {
          m.back().push_back(a == b ? 1 : kShrunk * jaccard(values[size_t(a)], values[size_t(b)]));
        }
      }
      return leibniz(m, 0, 0);
    };
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    Columns columns(slate, n);
    ASSERT_TRUE(diversify(rule, order, scores, columns, slate));
    std::vector<int> chosen;
    for (const int next : order) {
      const auto worth = [&](int item) {
        std::vector<int> with = chosen;
        with.push_back(item);
        return (1 - rule.trade) * scores[size_t(item)] +
               rule.trade * std::log(determinant(with) / determinant(chosen));
      };
      for (int other = 0; other < int(n); ++other) {
        if (std::find(chosen.begin(), chosen.end(), other) != chosen.end()) continue;
        EXPECT_LE(worth(other), worth(next) + 1e-6);  // relevances are floats
      }
      chosen.push_back(next);
    }
  }
}

class VectorSlate : public TestSlate {
 public:
  std::vector<std::vector<float>> vectors;
  std::span<const float> vector(size_t index) const override { return vectors[index]; }
};

TEST(Diversify, ByVectorsWhateverTheirLength) {
  VectorSlate slate;
  for (const char* const id : {"a", "b", "c", "d"}) slate.add(id);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  slate.vectors = {{1, 0}, {5, 0}, {0, 0.1F}, {nan, 1}};
  Diversity rule;
  rule.trade = 0.5;
  const std::vector<double> scores = {1, 0.9, 0.6, 0};
  std::vector<int> order = {0, 1, 2, 3};
  Columns columns(slate, 4);
  ASSERT_TRUE(diversify(rule, order, scores, columns, slate));
  EXPECT_EQ(order, (std::vector<int>{0, 2, 3, 1}));
  slate.vectors.assign(4, {});
  EXPECT_FALSE(diversify(rule, order, scores, columns, slate));
}

}  // namespace
}  // namespace podium::policy
