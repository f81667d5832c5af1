// Every kernel against naive loops in double, on shapes drawn at random.
#include "podium/kernels/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "podium/kernels/test_values.h"

namespace podium::kernels {
namespace {

constexpr int kShapes = 30;
constexpr size_t kLongest = 70;  // past the 16 lanes several times, and not always a multiple

Shape random_shape(Rng& rng) {
  return {1 + rng.below(kLongest), 1 + rng.below(kLongest), 1 + rng.below(kLongest)};
}

// c[m, n] = sum over k of at(a, i, p) * at(b, p, j), with the factors' elements given by functions.
template <class A, class B>
std::vector<double> naive_product(const Shape& s, const A& a, const B& b) {
  std::vector<double> c(s.m * s.n);
  for (size_t i = 0; i < s.m; ++i) {
    for (size_t j = 0; j < s.n; ++j) {
      for (size_t p = 0; p < s.k; ++p) c[i * s.n + j] += double(a(i, p)) * b(p, j);
    }
  }
  return c;
}

void expect_close(const std::vector<float>& got, const std::vector<double>& want,
                  double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], tolerance * (1 + std::abs(want[i]))) << "element " << i;
  }
}

TEST(Kernels, MatrixProductsEqualLoops) {
  Rng rng(1);
  for (int trial = 0; trial < kShapes; ++trial) {
    const Shape s = random_shape(rng);
    const auto a = random_values(rng, s.m * s.k), b = random_values(rng, s.n * s.k);
    std::vector<float> c(s.m * s.n, 7.0F);  // what lay there must not matter
    matmul_nt(a.data(), b.data(), c.data(), s.m, s.n, s.k);
    expect_close(c,
                 naive_product(
                     s, [&](size_t i, size_t p) { return a[i * s.k + p]; },
                     [&](size_t p, size_t j) { return b[j * s.k + p]; }),
                 1e-5);
    matmul_nn(a.data(), b.data(), c.data(), s.m, s.n, s.k);
    expect_close(c,
                 naive_product(
                     s, [&](size_t i, size_t p) { return a[i * s.k + p]; },
                     [&](size_t p, size_t j) { return b[p * s.n + j]; }),
                 1e-5);
    matmul_tn(a.data(), b.data(), c.data(), s.m, s.n, s.k);
    expect_close(c,
                 naive_product(
                     s, [&](size_t i, size_t p) { return a[p * s.m + i]; },
                     [&](size_t p, size_t j) { return b[p * s.n + j]; }),
                 1e-5);
  }
}

TEST(Kernels, ProductsAddWhenAsked) {
  Rng rng(2);
  const Shape s{5, 33, 17};
  const auto a = random_values(rng, s.m * s.k), b = random_values(rng, s.n * s.k);
  const auto before = random_values(rng, s.m * s.n);
  std::vector<float> plain(s.m * s.n), added = before;
  matmul_nt(a.data(), b.data(), plain.data(), s.m, s.n, s.k);
  matmul_nt(a.data(), b.data(), added.data(), s.m, s.n, s.k, /*accumulate=*/true);
  for (size_t i = 0; i < added.size(); ++i) EXPECT_NEAR(added[i], before[i] + plain[i], 1e-5);
}

TEST(Kernels, VectorsEqualLoops) {
  Rng rng(3);
  for (size_t n = 0; n <= kLongest; ++n) {
    const auto a = random_values(rng, n), b = random_values(rng, n);
    double product = 0, distance = 0;
    std::vector<double> sum(n);
    for (size_t i = 0; i < n; ++i) {
      product += double(a[i]) * b[i];
      distance += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
      sum[i] = double(b[i]) - 0.75 * a[i];
    }
    EXPECT_NEAR(dot(a.data(), b.data(), n), product, 1e-4);
    EXPECT_NEAR(squared_distance(a.data(), b.data(), n), distance, 1e-4 * (1 + distance));
    std::vector<float> y = b;
    axpy(-0.75F, a.data(), y.data(), n);
    expect_close(y, sum, 1e-6);
  }
}

TEST(Kernels, SoftmaxIsSafeAndSumsToOne) {
  Rng rng(4);
  for (const float shift : {0.0F, 1e4F, -1e4F}) {  // exp of these overflows or vanishes
    auto x = random_values(rng, 37);
    std::vector<double> want(x.size());
    double sum = 0;
    for (float& value : x) value += shift;
    for (size_t i = 0; i < x.size(); ++i) sum += want[i] = std::exp(double(x[i]) - shift);
    for (double& value : want) value /= sum;
    softmax(x.data(), x.size());
    expect_close(x, want, 1e-6);
  }
  softmax(nullptr, 0);
  std::vector<float> masked = {-INFINITY, 0, -INFINITY, 0};
  softmax(masked.data(), masked.size());
  EXPECT_EQ(masked, (std::vector<float>{0, 0.5F, 0, 0.5F}));
}

TEST(Kernels, RmsNormAndSiluFollowTheirFormulas) {
  Rng rng(5);
  constexpr double kEps = 1e-6;
  for (const size_t n : {1u, 15u, 16u, 100u}) {
    auto x = random_values(rng, n);
    const auto weight = random_values(rng, n);
    double square = 0;
    for (const float value : x) square += double(value) * value;
    std::vector<double> want(n);
    for (size_t i = 0; i < n; ++i) {
      want[i] = x[i] / std::sqrt(square / double(n) + kEps) * weight[i];
    }
    std::vector<float> y(n);
    rms_norm(x.data(), weight.data(), y.data(), n, float(kEps));
    expect_close(y, want, 1e-5);
    rms_norm(x.data(), weight.data(), x.data(), n, float(kEps));  // in place
    EXPECT_EQ(x, y);
  }
  for (const float x : {-50.0F, -1.0F, 0.0F, 2.0F, 50.0F}) {
    EXPECT_NEAR(silu(x), x / (1 + std::exp(-double(x))), 1e-6 * (1 + std::abs(x)));
  }
}

// a = V^T diag(values) V with orthonormal rows of V, values ascending.
TEST(Kernels, EigenvectorsRebuildTheMatrix) {
  Rng rng(6);
  for (const size_t n : {1u, 2u, 7u, 40u}) {
    const auto b = random_values(rng, n * n);
    std::vector<float> a(n * n), values(n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) a[i * n + j] = b[i * n + j] + b[j * n + i];
    }
    std::vector<float> v = a;
    ASSERT_TRUE(symmetric_eigen(v.data(), values.data(), n));
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        double rebuilt = 0, product = 0;
        for (size_t p = 0; p < n; ++p) {
          rebuilt += double(v[p * n + i]) * values[p] * v[p * n + j];
          product += double(v[i * n + p]) * v[j * n + p];
        }
        EXPECT_NEAR(rebuilt, a[i * n + j], 1e-4);
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-5);
      }
    }
  }
}

TEST(Kernels, BlasThreadsChangeNoProduct) {
  Rng rng(7);
  const Shape s{200, 190, 210};
  const auto a = random_values(rng, s.m * s.k), b = random_values(rng, s.n * s.k);
  std::vector<float> one(s.m * s.n), two(s.m * s.n);
  matmul_nt(a.data(), b.data(), one.data(), s.m, s.n, s.k);
  set_blas_threads(2);
  matmul_nt(a.data(), b.data(), two.data(), s.m, s.n, s.k);
  set_blas_threads(1);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 1e-4);
}

TEST(Kernels, ExpIsAccurate) {
  for (double x = -86; x < 87; x += 0.0371) {
    float value = float(x);
    const double exact = std::exp(double(value));
    EXPECT_NEAR(exp_and_sum(&value, 1, 0) / exact, 1, 5e-7) << x;
  }
}

TEST(Kernels, SumsAndMaximaOfAnyLength) {
  for (size_t n = 1; n < 40; ++n) {
    Rng rng(n);
    std::vector<float> x;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      x.push_back(float(rng.normal()));
      sum += std::exp(double(x.back()) - 1);
    }
    EXPECT_EQ(max_of(x.data(), n), *std::max_element(x.begin(), x.end()));
    EXPECT_NEAR(sum_of_exp(x.data(), n, 1), sum, 1e-5 * sum);
    EXPECT_NEAR(exp_and_sum(x.data(), n, 1), sum, 1e-5 * sum);
  }
}

TEST(Kernels, GeluIsExactNearlyEverywhere) {
  for (double x = -12; x < 12; x += 0.0137) {
    float value = float(x);
    const double exact = 0.5 * double(value) * std::erfc(-double(value) / std::sqrt(2.0));
    gelu(&value, 1);
    EXPECT_NEAR(value, exact, 1e-6 * (1 + std::abs(x))) << x;
  }
  float ends[] = {-1e30F, 1e30F, 0};
  gelu(ends, 3);
  EXPECT_EQ(ends[0], 0);
  EXPECT_EQ(ends[1], 1e30F);
  EXPECT_EQ(ends[2], 0);
}

TEST(Kernels, LayerNormAgainstDoubles) {
  for (size_t n = 1; n < 70; ++n) {
    Rng rng(n);
    std::vector<float> x, weight, bias, y(n);
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; ++i) {
      x.push_back(float(3 + rng.normal()));
      weight.push_back(float(rng.normal()));
      bias.push_back(float(rng.normal()));
      sum += double(x[i]);
    }
    for (const float value : x) square += std::pow(double(value) - sum / double(n), 2);
    layer_norm(x.data(), weight.data(), bias.data(), y.data(), n, 1e-3F);
    for (size_t i = 0; i < n; ++i) {
      const double unit = (x[i] - sum / double(n)) / std::sqrt(square / double(n) + 1e-3);
      EXPECT_NEAR(y[i], unit * weight[i] + bias[i], 2e-5);
    }
  }
}

TEST(Kernels, SwigluAtTheEnds) {
  float gate[] = {-1000, 1000, 0, 1}, up[] = {2, 2, 2, 2};
  swiglu(gate, up, 4);
  EXPECT_NEAR(gate[0], 0, 1e-6);
  EXPECT_NEAR(gate[1], 2000, 1e-3);
  EXPECT_EQ(gate[2], 0);
  EXPECT_NEAR(gate[3], 2 / (1 + std::exp(-1.0)), 1e-6);
}

}  // namespace
}  // namespace podium::kernels
