// OpenBLAS chooses its kernels by the CPU's model, once, when it is loaded. A version that is older
// than the CPU does not know the model and takes those of 2004: on a Xeon of 2023 Debian 12's
// multiplies matrices at a fifth of the speed.
#pragma once

#include <string>
#include <string_view>

#include "podium/kernels/isa.h"

namespace podium::kernels {

// What OPENBLAS_CORETYPE should say on a CPU with this instruction set where OpenBLAS has chosen
// the core `chosen`; empty: it chose well.
std::string better_blas_core(std::string_view chosen, Isa best);

// The first thing in main() of a program that multiplies much: starts it again with the better
// kernels where there are any and OPENBLAS_CORETYPE is not set. Returns otherwise.
void use_blas_of_this_cpu(char** argv);

}  // namespace podium::kernels
