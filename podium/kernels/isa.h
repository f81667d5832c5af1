// The instruction sets that kernels are written for, and the one in use.
#pragma once

#include <string_view>
#include <vector>

#include "podium/kernels/kernel_table.h"

namespace podium::kernels {

enum class Isa { kScalar, kAvx2, kAvx512 };  // kAvx2: with FMA; kAvx512: F, BW, DQ, VL and VNNI

std::string_view isa_name(Isa isa);        // "scalar", "avx2", "avx512"
std::vector<Isa> supported_isas();         // by this CPU; ascending, the first is kScalar
const KernelTable& kernel_table(Isa isa);  // isa must be supported

// The best of this CPU, or the one that the environment variable PODIUM_ISA names; chosen at the
// first call. Throws Error when PODIUM_ISA names no instruction set of this CPU. OpenBLAS,
// which the matmul functions call, chooses for itself (blas_core.h).
Isa active_isa();
const KernelTable& active_kernels();

}  // namespace podium::kernels
