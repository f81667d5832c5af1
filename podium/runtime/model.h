// The weights of one policy, resolved from names to pointers. Matrices are row-major [out, in].
#pragma once

#include <vector>

#include "podium/rerank/model_spec.h"
#include "podium/runtime/engine.h"

namespace podium::runtime {

struct LayerWeights {
  const float *input_norm, *post_norm;  // [hidden]
  const float *q_norm, *k_norm;         // [head_dim]
  const float* q;                       // [heads * head_dim, hidden]
  const float *k, *v;                   // [kv_heads * head_dim, hidden]
  const float* o;                       // [hidden, heads * head_dim]
  const float *gate, *up;               // [ffn, hidden]
  const float* down;                    // [hidden, ffn]
};

struct Model {
  // Throws Error naming the tensor that is missing or has another size.
  Model(const rerank::ModelSpec& spec, const Weights& weights);

  rerank::ModelSpec spec;
  const float* embedding;  // [vocab, hidden]
  const float* head;       // [vocab, hidden]; the embedding when tied
  const float* norm;       // [hidden]
  std::vector<LayerWeights> layers;
  std::vector<float> inverse_frequency;  // [head_dim / 2], RoPE
};

}  // namespace podium::runtime
