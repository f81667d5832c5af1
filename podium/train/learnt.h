// What of a policy learns: all its weights; or, with the backbone frozen, the rows of the tokens
// that podium added, what reads slates, and adapters of projections (LoRA, 2106.09685):
//   W = W_0 + alpha / rank * up down      down [rank, in], random at first; up [out, rank], zero
// The model's weights hold W at all times: whatever serves, validates or saves the model need not
// know of adapters.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "podium/rerank/model_spec.h"
#include "podium/train/policy_options.h"

namespace podium::train {

// The optimizer's parameters, as a module for checkpoints. Not thread-safe but for weights_over.
class LearntImpl : public torch::nn::Module {
 public:
  // weights: the model's, in the order of tensor_table; their memory is shared. All of them learn.
  explicit LearntImpl(const std::vector<torch::Tensor>& weights);
  // With the backbone frozen. first_row: of the added tokens' rows in the embeddings.
  LearntImpl(const rerank::ModelSpec& spec, const std::vector<torch::Tensor>& weights,
             const AdaptOptions& options, int64_t first_row, uint64_t seed);

  // The weights as functions of `leaves`, so that gradients flow to these. leaves: of the shapes
  // and values of `parts`; values: of the weights now, undefined where `whole`. On one device.
  std::vector<torch::Tensor> weights_over(const std::vector<torch::Tensor>& leaves,
                                          const std::vector<torch::Tensor>& values) const;
  bool whole(size_t weight) const { return sources_[weight].how == How::kWhole; }

  // Brings the model's weights up to date after parts have changed.
  void merge();

  std::vector<torch::Tensor> parts;

 private:
  enum class How { kFrozen, kWhole, kRows, kAdapted };
  struct Source {
    How how = How::kFrozen;
    size_t part = 0;      // of parts; kAdapted: down, then up
    torch::Tensor start;  // kAdapted: W_0
  };

  size_t add_part(const std::string& name, const torch::Tensor& values);

  std::vector<torch::Tensor> weights_;
  std::vector<Source> sources_;  // [weights]
  double scale_ = 0;
};
TORCH_MODULE(Learnt);

}  // namespace podium::train
