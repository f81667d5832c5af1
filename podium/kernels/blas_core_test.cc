#include "podium/kernels/blas_core.h"

#include <gtest/gtest.h>

namespace podium::kernels {
namespace {

TEST(BlasCore, OldKernelsOnANewCpuAreReplaced) {
  EXPECT_EQ(better_blas_core("Prescott", Isa::kAvx512), "SkylakeX");
  EXPECT_EQ(better_blas_core("Prescott", Isa::kAvx2), "Haswell");
  EXPECT_EQ(better_blas_core("Barcelona", Isa::kAvx2), "Haswell") << "an AMD that it does not know";
}

TEST(BlasCore, WhatFitsTheCpuStays) {
  EXPECT_EQ(better_blas_core("Prescott", Isa::kScalar), "") << "it is that old";
  for (const char* core : {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "Next"}) {
    EXPECT_EQ(better_blas_core(core, Isa::kAvx512), "") << core;
  }
}

}  // namespace
}  // namespace podium::kernels
