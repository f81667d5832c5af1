// The transformer over a ragged batch: chunks of new tokens of many sequences at once.
#pragma once

#include <span>
#include <vector>

#include "podium/runtime/attention.h"
#include "podium/runtime/model.h"

namespace podium::runtime {

// Buffers kept between calls; one per thread.
struct Workspace {
  std::vector<float> x, h, q, k, v, attended, gate, up;
  kernels::LinearInput input;
  std::vector<int> position;
  std::vector<float> cosine, sine;  // of the positions, [rows, head_dim / 2]
  AttentionSpace attention;
};

// Runs the layers and the final norm. Returns the hidden states ready for the output embedding,
// row-major [rows, hidden], of the last token of every chunk (kLast) or of every token; valid until
// the workspace is used again.
std::span<const float> forward(const Model& model, std::span<Chunk> chunks, Rows rows,
                               Workspace& work);

}  // namespace podium::runtime
