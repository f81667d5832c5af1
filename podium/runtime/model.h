// The weights of one policy: matrices packed for the kernels, the rest by pointer.
#pragma once

#include <vector>

#include "podium/kernels/packed_matrix.h"
#include "podium/rerank/model_spec.h"
#include "podium/runtime/types.h"

namespace podium::runtime {

struct LayerWeights {
  const float *input_norm, *post_norm;  // [hidden]
  const float *q_norm, *k_norm;         // [head_dim]; null without norms of heads
  kernels::PackedMatrix q;              // [heads * head_dim, hidden]
  kernels::PackedMatrix k, v;           // [kv_heads * head_dim, hidden]
  kernels::PackedMatrix o;              // [hidden, heads * head_dim]
  kernels::PackedMatrix gate, up;       // [ffn, hidden]
  kernels::PackedMatrix down;           // [hidden, ffn]
};

struct Model {
  // Throws Error naming the tensor that is missing, has another size, or holds
  // numbers that are not finite. Of weights, those by
  // pointer below must outlive the model.
  Model(const rerank::ModelSpec& spec, const WeightMap& weights, kernels::Precision precision);

  rerank::ModelSpec spec;
  const float* embedding;     // [vocab, hidden]
  const float* head;          // [vocab, hidden]; the embedding when tied
  kernels::PackedMatrix all;  // the head, for logits of the whole vocabulary
  const float* norm;          // [hidden]
  // Of slates (ModelSpec): null or empty where the model has none.
  const float* text;                 // [hidden, text_width]
  kernels::PackedMatrix numbers;     // [hidden, numbers], fp32
  const float* choice_query;         // [choice, hidden]
  kernels::PackedMatrix choice_key;  // the same, fp32
  const float* choice_scale;         // [kScores + numbers]
  const float* likeness_user;        // [kLikeness, hidden]
  const float* likeness_bias;        // [kLikeness]
  const float* stands;               // [1]
  std::vector<LayerWeights> layers;
  std::vector<float> inverse_frequency;  // [head_dim / 2], RoPE

  bool weighs_likeness() const;  // some of their weights are not 0

  // Appends the rotation to a position, [head_dim / 2] each.
  void rotation_at(int position, std::vector<float>& cosine, std::vector<float>& sine) const;
};

}  // namespace podium::runtime
