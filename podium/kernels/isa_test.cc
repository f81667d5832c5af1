// Every instruction set of this CPU against the scalar reference.
#include "podium/kernels/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "podium/kernels/packed_matrix.h"
#include "podium/kernels/test_values.h"

namespace podium::kernels {
namespace {

class IsaTest : public testing::TestWithParam<Isa> {
 protected:
  const KernelTable& table_ = kernel_table(GetParam());
};

TEST_P(IsaTest, VectorKernelsAgreeWithTheReference) {
  Rng rng(1);
  for (size_t n = 1; n <= 70; ++n) {
    const auto a = random_values(rng, n), b = random_values(rng, n);
    EXPECT_NEAR(table_.dot(a.data(), b.data(), n), kScalarKernels.dot(a.data(), b.data(), n), 1e-5);
    EXPECT_NEAR(table_.squared_distance(a.data(), b.data(), n),
                kScalarKernels.squared_distance(a.data(), b.data(), n), 1e-4);
    EXPECT_EQ(table_.max_of(a.data(), n), kScalarKernels.max_of(a.data(), n));
    const auto same = [&](const auto& run) {
      auto one = a, two = a;
      run(table_, one.data());
      run(kScalarKernels, two.data());
      for (size_t i = 0; i < n; ++i) EXPECT_NEAR(one[i], two[i], 1e-5 * (1 + std::abs(two[i])));
    };
    same([&](const KernelTable& k, float* y) { k.axpy(0.3F, b.data(), y, n); });
    same([&](const KernelTable& k, float* y) { k.rms_norm(y, b.data(), y, n, 1e-6F); });
    same([&](const KernelTable& k, float* y) { k.layer_norm(y, b.data(), a.data(), y, n, 1e-6F); });
    same([&](const KernelTable& k, float* y) { k.gelu(y, n); });
    same([&](const KernelTable& k, float* y) { k.swiglu(y, b.data(), n); });
    same([&](const KernelTable& k, float* y) { y[0] += k.exp_and_sum(y, n, 1); });
  }
}

TEST_P(IsaTest, QuantizesAsTheReference) {
  Rng rng(2);
  for (size_t rows = 1; rows <= 30; ++rows) {
    const size_t n = 1 + rng.below(70), width = (n + kInt8Step - 1) / kInt8Step * kInt8Step;
    const auto x = random_values(rng, rows * n);
    std::vector<uint8_t> got(rows * width + 1, 7), want = got;  // nothing is written after them
    std::vector<float> scale(rows), wanted_scale(rows);
    table_.quantize(x.data(), rows, n, got.data(), scale.data());
    kScalarKernels.quantize(x.data(), rows, n, want.data(), wanted_scale.data());
    EXPECT_EQ(scale, wanted_scale);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1);  // ties may differ
  }
}

TEST_P(IsaTest, QuantizedValuesAreWithinHalfAStep) {
  Rng rng(2);
  for (const float size : {0.0F, 1e-35F, 1e-20F, 1.0F, 1e20F}) {
    auto x = random_values(rng, 37);
    for (float& value : x) value *= size;
    std::vector<uint8_t> q(40);
    float scale = 0;
    table_.quantize(x.data(), 1, x.size(), q.data(), &scale);
    for (size_t i = 0; i < q.size(); ++i) {
      EXPECT_GE(q[i], 1);
      EXPECT_NEAR(float(q[i] - 128) * scale, i < x.size() ? x[i] : 0, 0.5001F * scale + 1e-30F);
    }
  }
}

std::vector<Shape> shapes() {
  std::vector<Shape> result = {{1, 1, 1}, {1, 32, 4}, {12, 32, 64}, {13, 33, 65}, {900, 40, 500}};
  Rng rng(3);
  for (int i = 0; i < 60; ++i) {
    result.push_back({1 + rng.below(30), 1 + rng.below(100), 1 + rng.below(90)});
  }
  return result;
}

TEST_P(IsaTest, PackedProductsAgreeWithTheReference) {
  Rng rng(4);
  for (const Shape& s : shapes()) {
    const auto w = random_values(rng, s.n * s.k), x = random_values(rng, s.m * s.k);
    const auto before = random_values(rng, s.m * s.n + 1);
    for (const Precision precision :
         {Precision::kFp32, Precision::kBf16, Precision::kInt8, Precision::kInt4}) {
      const PackedMatrix matrix(w.data(), s.n, s.k, precision);
      for (const bool accumulate : {false, true}) {
        auto got = before, want = before;  // and nothing after the last element is written
        LinearInput input;
        input.assign(x.data(), s.m, s.k);
        matrix.apply(input, got.data(), accumulate, table_);
        matrix.apply(input, want.data(), accumulate, kScalarKernels);
        if (precision >= Precision::kInt8 && !accumulate) {
          ASSERT_EQ(got, want) << s.m << " " << s.n << " " << s.k;
          continue;
        }
        for (size_t i = 0; i < got.size(); ++i) {
          ASSERT_NEAR(got[i], want[i], 1e-5 * double(s.k)) << s.m << " " << s.n << " " << s.k;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, IsaTest, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

// The reference itself, against sums in double precision.
TEST(PackedMatrix, ApproximatesTheProductAsItsPrecisionAllows) {
  Rng rng(5);
  const Shape s{7, 45, 130};
  const auto w = random_values(rng, s.n * s.k), x = random_values(rng, s.m * s.k);
  const struct {
    Precision precision;
    double error;  // of the root mean square of the product, whose size is sqrt(k)
  } kCases[] = {{Precision::kFp32, 1e-6},
                {Precision::kBf16, 4e-3},
                {Precision::kInt8, 2e-2},
                {Precision::kInt4, 0.15}};
  for (const auto& c : kCases) {
    const PackedMatrix matrix(w.data(), s.n, s.k, c.precision);
    EXPECT_EQ(matrix.outputs(), s.n);
    EXPECT_EQ(matrix.inputs(), s.k);
    std::vector<float> y(s.m * s.n);
    LinearInput input;
    input.assign(x.data(), s.m, s.k);
    matrix.apply(input, y.data());
    double square = 0;
    for (size_t i = 0; i < s.m; ++i) {
      for (size_t j = 0; j < s.n; ++j) {
        double want = 0;
        for (size_t p = 0; p < s.k; ++p) want += double(x[i * s.k + p]) * w[j * s.k + p];
        square += (y[i * s.n + j] - want) * (y[i * s.n + j] - want);
      }
    }
    EXPECT_LT(std::sqrt(square / double(s.m * s.n) / double(s.k)), c.error)
        << precision_name(c.precision);
  }
}

TEST(PackedMatrix, ARangeIsAPartOfTheProduct) {
  Rng rng(6);
  const Shape s{5, 150, 70};
  const auto w = random_values(rng, s.n * s.k), x = random_values(rng, s.m * s.k);
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const PackedMatrix matrix(w.data(), s.n, s.k, precision);
    LinearInput input;
    input.assign(x.data(), s.m, s.k);
    std::vector<float> whole(s.m * s.n);
    matrix.apply(input, whole.data());
    for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 150}, {32, 77}, {128, 150}}) {
      std::vector<float> part(s.m * (end - begin));
      matrix.apply_range(input, begin, end, part.data());
      for (size_t i = 0; i < part.size(); ++i) {
        const size_t row = i / (end - begin), output = begin + i % (end - begin);
        EXPECT_NEAR(part[i], whole[row * s.n + output], 1e-5);
      }
    }
  }
}

TEST(Isa, TheBestIsActiveUnlessTheEnvironmentNamesAnother) {
  const char* wanted = std::getenv("PODIUM_ISA");
  if (wanted && *wanted) {
    EXPECT_EQ(isa_name(active_isa()), wanted);
  } else {
    EXPECT_EQ(active_isa(), supported_isas().back());
  }
}

}  // namespace
}  // namespace podium::kernels
