// The forward pass of Qwen3's decoder, or of Llama's, over packed sequences.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "podium/rerank/model_spec.h"
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
  std::vector<int64_t> text_rows, text_items;     // rows to which an item's text is added
  std::vector<int64_t> number_rows;               // rows to which numbers are added
  std::vector<float> numbers;                     // [number_rows, F]
  std::vector<int64_t> score_rows;                // rows of candidates' names
  std::vector<float> scores;                      // [score_rows, kScores]
  Dropout dropout;                                // of training; never of what is served
  bool recompute = false;  // layers' inner values in the backward pass, not kept until then
  bool bf16 = false;       // products with layers' weights in bfloat16; all else in fp32
};

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
  torch::Tensor likeness_user, likeness_bias, stands;
};
SlateWeights slate_weights(const rerank::ModelSpec& spec,
                           const std::vector<torch::Tensor>& weights);

// The output embedding [vocab, hidden].
const torch::Tensor& output_embedding(const rerank::ModelSpec& spec,
                                      const std::vector<torch::Tensor>& weights);

}  // namespace podium::train
