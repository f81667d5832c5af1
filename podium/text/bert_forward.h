// The forward pass of a BERT encoder (Devlin et al. 2019, arXiv 1810.04805) with mean pooling, as
// sentence-transformers has it (Reimers and Gurevych 2019, arXiv 1908.10084).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/text/bert_model.h"

namespace podium::text {

// What a pass works in: one a thread, used again and again.
struct BertWorkspace {
  kernels::LinearInput input;
  std::vector<float> x, q, k, v, attended;  // [tokens, hidden]
  std::vector<float> inner;                 // [tokens, ffn]
  std::vector<float> keys, values, scores;  // of a text's head
};

// texts: token ids of each text, 1 to config.max_tokens of them, below config.vocab.
// vectors: [texts, hidden], the mean of a text's last states, divided by its length.
//   x_0 = LN(word + position + type)
//   y   = LN(x_l + W_o softmax(q k^T / sqrt(d)) v + b_o)
//   x_l+1 = LN(y + W_2 gelu(W_1 y + b_1) + b_2)
// The rows of all texts go through a product together, without padding; each text's vector has the
// same bits whatever texts are beside it.
void bert_forward(const BertModel& model, std::span<const std::vector<int32_t>> texts,
                  std::span<float> vectors, BertWorkspace& work);

}  // namespace podium::text
