#include "podium/kernels/isa.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "podium/base/error.h"

namespace podium::kernels {
namespace {

Isa choose() {
  const std::vector<Isa> isas = supported_isas();
  const char* wanted = std::getenv("PODIUM_ISA");
  if (!wanted || !*wanted) return isas.back();
  std::vector<std::string_view> names;
  for (const Isa isa : isas) {
    if (isa_name(isa) == wanted) return isa;
    names.push_back(isa_name(isa));
  }
  throw Error(fmt::format("PODIUM_ISA is \"{}\"", wanted),
              fmt::format("this CPU has {}; unset it for the best", fmt::join(names, ", ")));
}

}  // namespace

std::string_view isa_name(Isa isa) {
  constexpr std::string_view kNames[] = {"scalar", "avx2", "avx512"};
  return kNames[size_t(isa)];
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas = {Isa::kScalar};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(Isa::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni")) {
    isas.push_back(Isa::kAvx512);
  }
#endif
  return isas;
}

const KernelTable& kernel_table(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::kAvx2) return kAvx2Kernels;
  if (isa == Isa::kAvx512) return kAvx512Kernels;
#endif
  return kScalarKernels;
}

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

const KernelTable& active_kernels() {
  static const KernelTable& table = kernel_table(active_isa());
  return table;
}

}  // namespace podium::kernels
