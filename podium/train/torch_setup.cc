#include "podium/train/torch_setup.h"

#include <fmt/format.h>
#include <malloc.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <cstdlib>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/kernels/kernels.h"

namespace podium::train {

void setup_torch(int threads, uint64_t seed) {
  const int count = threads > 0 ? threads : default_threads();
  at::set_num_threads(count);
  kernels::set_blas_threads(count);
  // Keep big blocks in the heap: mapping and clearing them anew every step costs a fifth.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  torch::manual_seed(seed);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setFlushDenormal(true);
}

torch::Device device_of(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (!torch::cuda::is_available()) {
    throw Error("no CUDA device is there, or this LibTorch was built without CUDA",
                "use --device cpu, or build with `cmake --preset gpu` (docs/scale.md)");
  }
  const char* rank = std::getenv("LOCAL_RANK");
  const int local = rank == nullptr ? 0 : std::atoi(rank);
  return {torch::kCUDA, c10::DeviceIndex(local % int(torch::cuda::device_count()))};
}

std::string torch_description() { return fmt::format("LibTorch {}", TORCH_VERSION); }

}  // namespace podium::train
