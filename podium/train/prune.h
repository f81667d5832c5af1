// Structured pruning of a policy: whole layers, groups of attention heads (a key head with its
// query heads) and feed-forward channels go, so that what is left is an ordinary, smaller model.
//
// A part's importance is first-order (Molchanov et al. 2019, "Importance Estimation for Neural
// Network Pruning"): if m scales what the part adds to the residual stream, dL/dm = sum w . g over
// the output weights that belong to it (columns of o_proj or down_proj), L the negative log
// likelihood of what a slate's user chose; the importance is the mean of its square over slates. A
// layer's is the sum of its parts'.
#pragma once

#include <span>
#include <vector>

#include "podium/base/json.h"
#include "podium/train/policy_data.h"

namespace podium::train {

struct Importance {
  std::vector<std::vector<double>> groups;    // [layers][kv_heads]
  std::vector<std::vector<double>> channels;  // [layers][ffn]

  double layer(size_t i) const;
};

// Of slates that can be ranked, answered without a trace. The same bits whatever the threads.
Importance measure_importance(Qwen3& model, const rerank::PromptContext& context,
                              std::span<const rerank::Slate> slates, int threads);

// What stays, ascending; every layer keeps as many groups and channels as the others, since a model
// has one shape.
struct Kept {
  std::vector<size_t> layers;
  std::vector<std::vector<size_t>> groups, channels;  // [layers that stay]
};

// Of all shapes whose layers hold at most `share` of the weights, the one that loses the least
// importance; of equals the one with fewer layers. The last layer stays, since candidates' keys are
// read where it begins (ModelSpec). Throws Error when no shape is that small.
Kept choose_kept(const rerank::ModelSpec& spec, const Importance& importance, double share);

rerank::ModelSpec pruned_spec(const rerank::ModelSpec& spec, const Kept& kept);
int64_t layer_weights(const rerank::ModelSpec& spec);  // matrices of all layers
Qwen3 pruned(const Qwen3& model, const Kept& kept);

}  // namespace podium::train
