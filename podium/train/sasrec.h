// SASRec (Kang and McAuley, 1808.09781) as trained here: pre-LayerNorm, exact GELU, item embeddings
// shared by input and output. sequence/sasrec.h serves what this exports.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/train/sequence_model.h"

namespace podium::train {

// One transformer block. Parameter names are those of the exported file.
struct SasrecBlockImpl : torch::nn::Module {
  SasrecBlockImpl(int dim, int heads, double dropout);
  // x [batch, time, dim]; blocked [batch or 1, 1, time, time], true where a query may not look.
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& blocked);

  int heads;
  double dropout;
  torch::nn::LayerNorm norm1{nullptr}, norm2{nullptr};
  torch::nn::Linear q{nullptr}, k{nullptr}, v{nullptr}, o{nullptr}, up{nullptr}, down{nullptr};
};
TORCH_MODULE(SasrecBlock);

struct SasrecImpl : SequenceModelImpl {
  SasrecImpl(int64_t items, const SequenceOptions& options);

  torch::Tensor encode(const torch::Tensor& embedded, const Tokens& tokens) override;
  // embedded [batch, time, dim]: item embeddings of right-aligned sequences, time <= max_len.
  // padding [batch, time]: true where there is no event. Returns the states, as encode does.
  torch::Tensor forward(const torch::Tensor& embedded, const torch::Tensor& padding);

  torch::Tensor position_embedding;  // [max_len, dim], 0 = newest event
  std::vector<SasrecBlock> blocks;
  torch::nn::LayerNorm norm{nullptr};
};
TORCH_MODULE(Sasrec);

// sasrec.safetensors, in the format of sequence/sasrec.h.
void export_sasrec(const fs::path& file, const SasrecImpl& model);

}  // namespace podium::train
