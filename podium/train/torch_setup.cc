#include "podium/train/torch_setup.h"

#include <fmt/format.h>
#include <malloc.h>
#include <torch/torch.h>
#include <torch/version.h>

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

std::string torch_description() { return fmt::format("LibTorch {}", TORCH_VERSION); }

}  // namespace podium::train
