// The policy as a LibTorch module: the decoder of Qwen3, or of Llama, over packed batches;
// parameters by their Hugging Face names (rerank::tensor_table).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "podium/base/files.h"
#include "podium/rerank/model_spec.h"
#include "podium/runtime/engine.h"
#include "podium/text/tokenizer.h"
#include "podium/train/torch_ops.h"

namespace podium::train {

// A share of what is read and of what each layer adds is left out, a function of the seed.
struct Dropout {
  double share = 0;
  uint64_t seed = 0;
};

// Sequences back to back, without padding.
struct Packed {
  std::vector<int64_t> tokens, positions;         // [n]
  std::vector<Segment> segments;                  // partition of [0, n)
  std::vector<int64_t> added_rows, added_tokens;  // embeddings added to those of rows
  std::vector<int64_t> text_rows, text_items;     // rows that are the text of an item
  std::vector<int64_t> number_rows;               // rows to which numbers are added
  std::vector<float> numbers;                     // [number_rows, F]
  std::vector<int64_t> score_rows;                // rows of candidates' names
  std::vector<float> scores;                      // [score_rows, kScores]
  Dropout dropout;                                // of training; never of what is served
};

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

  rerank::ModelSpec spec;
  std::vector<torch::Tensor> weights;
};
TORCH_MODULE(Qwen3);

struct States {
  torch::Tensor last;   // [n, hidden], after the last norm
  torch::Tensor input;  // [n, hidden], as the last layer reads them, after its norm
  torch::Tensor given;  // [n], where the choice of a candidate begins, at its name; elsewhere 0.
                        // Undefined without `choice` (ModelSpec)
};
// weights: in order of tensor_table; the module's own or leaves that share its memory. Computed
// where they lie, and texts with them.
States states_of(const rerank::ModelSpec& spec, const std::vector<torch::Tensor>& weights,
                 const Packed& batch, const torch::Tensor& texts = {});

// The "podium." tensors of a model that reads slates; undefined where it has none.
struct SlateWeights {
  torch::Tensor text, numbers, query, key, scale;
};
SlateWeights slate_weights(const rerank::ModelSpec& spec,
                           const std::vector<torch::Tensor>& weights);

// The model with what slates need (ModelSpec), new and untaught: it chooses in the upstream's order
// until it has learnt better. A model that reads slates already comes back as it is, when its
// shape is this one; else throws Error.
Qwen3 for_slates(const Qwen3& model, int text_width, int numbers, uint64_t seed);

// The output embedding [vocab, hidden].
const torch::Tensor& output_embedding(const rerank::ModelSpec& spec,
                                      const std::vector<torch::Tensor>& weights);

// The engine over the module's memory: it follows every update in place, without a copy.
runtime::Engine engine_over(const Qwen3Impl& model);

// A Hugging Face directory: config.json, generation_config.json, model.safetensors,
// tokenizer.json. dir must exist.
void save_policy(const fs::path& dir, const Qwen3Impl& model, const text::Tokenizer& tokenizer);
Qwen3 load_policy(const fs::path& dir);  // what runtime/checkpoint.h reads, of finite weights

}  // namespace podium::train
