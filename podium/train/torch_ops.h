// Differentiable operations of the policy that LibTorch has only in slower pieces. fp32, contiguous
// inputs; each is tested against the composition of LibTorch's own operations, which takes its
// place on a GPU.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <vector>

namespace podium::train {

torch::Tensor longs(const std::vector<int64_t>& values,
                    torch::Device device = torch::kCPU);  // [values] of I64

// Tokens [begin, end) of a packed batch.
struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

// One run of tokens, which attend causally to themselves and, all of them, to those of two other
// runs: what several answers share, or several candidates.
struct Segment {
  Range own;
  std::array<Range, 2> before{};
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

// The compositions, for any device: all tokens meet all tokens, which costs memory
// [heads, tokens, tokens].
torch::Tensor composed_rotate(const torch::Tensor& x, const torch::Tensor& cosine,
                              const torch::Tensor& sine);
torch::Tensor composed_attention(const torch::Tensor& q, const torch::Tensor& k,
                                 const torch::Tensor& v, const std::vector<Segment>& segments);

}  // namespace podium::train
