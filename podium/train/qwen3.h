// The policy as a LibTorch module: the decoder of Qwen3, or of Llama, over packed batches;
// parameters by their Hugging Face names (rerank::tensor_table).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "podium/base/files.h"
#include "podium/rerank/model_spec.h"
#include "podium/runtime/engine.h"
#include "podium/text/tokenizer.h"
#include "podium/train/learnt.h"
#include "podium/train/policy_options.h"
#include "podium/train/states.h"

namespace podium::train {

// What training reads and does not change.
struct Frozen {
  torch::Tensor trace_mask;  // [vocab] bool, true where a trace may hold the token
  torch::Tensor texts;       // [items, text_width]; undefined: prompts hold none
};

// The parameters, in the order of tensor_table.
class Qwen3Impl : public torch::nn::Module {
 public:
  // Normal(0, 0.02), output projections divided by sqrt(2 layers), norms 1; a function of seed.
  Qwen3Impl(const rerank::ModelSpec& spec, uint64_t seed);
  Qwen3Impl(const rerank::ModelSpec& spec, std::vector<torch::Tensor> weights);  // in fp32

  // What learns, from here on; at first all does. first_row: of the tokens that podium added.
  void adapt(const AdaptOptions& options, int64_t first_row, uint64_t seed);

  rerank::ModelSpec spec;
  std::vector<torch::Tensor> weights;
  Learnt learnt{nullptr};  // no submodule: its parts lie in the weights, or are merged into them
  bool recompute = false, bf16 = false;  // Packed's, in training
};
TORCH_MODULE(Qwen3);

// The model with what slates need (ModelSpec), new and untaught: it chooses in the upstream's order
// until it has learnt better. A model that reads slates already comes back as it is, when its
// shape is this one; else throws Error.
Qwen3 for_slates(const Qwen3& model, int text_width, int numbers, uint64_t seed);

// The engine over the module's memory: it follows every update in place, without a copy.
runtime::Engine engine_over(const Qwen3Impl& model, const runtime::EngineOptions& options = {});

// A Hugging Face directory: config.json, generation_config.json, model.safetensors,
// tokenizer.json. dir must exist.
void save_policy(const fs::path& dir, const Qwen3Impl& model, const text::Tokenizer& tokenizer);
Qwen3 load_policy(const fs::path& path);  // what runtime/checkpoint.h reads, of finite weights

}  // namespace podium::train
