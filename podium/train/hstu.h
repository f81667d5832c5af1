// HSTU (Zhai et al. 2024, "Actions Speak Louder than Words", 2402.17152): pointwise SiLU attention
// with relative bias of position and time. sequence/hstu.h serves what this exports.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "podium/base/files.h"
#include "podium/train/sequence_model.h"

namespace podium::train {

// The tokens of a batch as attention sees them, [rows, query, key] each.
struct Relations {
  torch::Tensor visible;   // bool
  torch::Tensor distance;  // positions between the two, 0 .. max_len
  torch::Tensor bucket;    // time_bucket(asked of the query - time of the key)
};

// One block; parameter names are those of the exported file.
//   U, V, Q, K = SiLU(linear(norm(x)))
//   A = SiLU(Q K^T + position_bias[distance] + time_bias[bucket]) / max_len, 0 where not visible
//   x + linear(norm(A V) * U)
struct HstuBlockImpl : torch::nn::Module {
  explicit HstuBlockImpl(const HstuOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Relations& relations);

  int64_t dim, heads, max_len;
  double dropout;
  torch::nn::LayerNorm norm{nullptr};
  torch::nn::Linear uvqk{nullptr}, out{nullptr};
  torch::Tensor position_bias;  // [max_len + 1]
  torch::Tensor time_bias;      // [kTimeBuckets]
};
TORCH_MODULE(HstuBlock);

struct HstuImpl : SequenceModelImpl {
  HstuImpl(int64_t items, const HstuOptions& options);
  torch::Tensor encode(const torch::Tensor& embedded, const Tokens& tokens) override;

  std::vector<HstuBlock> blocks;
  torch::nn::LayerNorm norm{nullptr};
};
TORCH_MODULE(Hstu);

// hstu.safetensors, in the format of sequence/hstu.h.
void export_hstu(const fs::path& file, const HstuImpl& model);

}  // namespace podium::train
