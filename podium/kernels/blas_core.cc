#include "podium/kernels/blas_core.h"

#include <cblas.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace podium::kernels {

std::string better_blas_core(std::string_view chosen, Isa best) {
  // What unknown models of Intel and AMD are taken for.
  constexpr std::array<std::string_view, 6> kOld = {"Prescott",  "Core2",   "Nehalem",
                                                    "Barcelona", "Opteron", "Generic"};
  if (std::ranges::find(kOld, chosen) == kOld.end() || best == Isa::kScalar) return "";
  return best == Isa::kAvx512 ? "SkylakeX" : "Haswell";
}

void use_blas_of_this_cpu(char** argv) {
  constexpr const char* kCore = "OPENBLAS_CORETYPE";
  if (std::getenv(kCore) != nullptr) return;  // the user's, or ours: this is the second start
  const std::string core = better_blas_core(openblas_get_corename(), supported_isas().back());
  if (core.empty() || ::setenv(kCore, core.c_str(), 1) != 0) return;
  ::execv("/proc/self/exe", argv);  // returns only where it cannot; slow kernels still work
}

}  // namespace podium::kernels
