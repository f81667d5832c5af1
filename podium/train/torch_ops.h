// Differentiable operations of the policy that LibTorch has only in slower pieces. fp32, CPU,
// contiguous inputs; each is tested against the composition of LibTorch's own operations.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace podium::train {

// One run of tokens of a packed batch: tokens [begin, end) attend causally to themselves and, all
// of them, to the tokens [prefix_begin, prefix_end) (a prompt that several answers share).
struct Segment {
  int64_t begin, end;
  int64_t prefix_begin = 0, prefix_end = 0;
};

// y = x / sqrt(mean(x^2) + eps) * weight over the last dimension.
torch::Tensor rms_norm(const torch::Tensor& x,       // [rows, dim]
                       const torch::Tensor& weight,  // [dim]
                       double eps);

// Rotary position embedding in Hugging Face's layout: dimension i turns with i + dim / 2.
torch::Tensor rotate(const torch::Tensor& x,       // [tokens, heads, dim]
                     const torch::Tensor& cosine,  // [tokens, dim / 2]
                     const torch::Tensor& sine);   // [tokens, dim / 2]

// softmax(q k^T / sqrt(dim)) v within segments, which partition the tokens; query head h reads the
// key head h * kv_heads / heads. Returns [tokens, heads, dim].
torch::Tensor packed_attention(const torch::Tensor& q,  // [tokens, heads, dim]
                               const torch::Tensor& k,  // [tokens, kv_heads, dim]
                               const torch::Tensor& v,  // [tokens, kv_heads, dim]
                               const std::vector<Segment>& segments);

}  // namespace podium::train
