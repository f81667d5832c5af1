// The weights of a BERT encoder: matrices packed for the kernels, the rest by pointer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "podium/artifact/tensor_set.h"
#include "podium/kernels/packed_matrix.h"
#include "podium/text/bert_config.h"

namespace podium::text {

// y = x weight^T + bias
struct BertLinear {
  kernels::PackedMatrix weight;  // [outputs, inputs]
  const float* bias;             // [outputs]

  // y [rows, outputs] = the product, or with `accumulate` y + it.
  void apply(kernels::LinearInput& x, float* y, bool accumulate = false) const;
};

struct BertNorm {
  const float *weight, *bias;  // [hidden]
};

struct BertLayer {
  BertLinear query, key, value;  // [hidden, hidden]
  BertLinear attended;           // [hidden, hidden]
  BertNorm attended_norm;
  BertLinear inner;  // [ffn, hidden]
  BertLinear outer;  // [hidden, ffn]
  BertNorm outer_norm;
};

// Immutable and thread-safe.
class BertModel {
 public:
  // Reads dir's model.safetensors or its shards (F32, F16, BF16). Throws Error naming the tensor
  // that is missing, has another shape, is not part of the encoder, or holds numbers that are not
  // finite. A pooler (pooler.*) is left alone: mean pooling does not read it.
  BertModel(const fs::path& dir, const BertConfig& config, kernels::Precision precision);

  BertConfig config;
  const float* words;      // [vocab, hidden]
  const float* positions;  // [positions, hidden]
  const float* type;       // [hidden], of the first text
  BertNorm embedding_norm;
  std::vector<BertLayer> layers;

 private:
  void read_tensors(const fs::path& dir);
  const float* get(const std::string& name) const { return tensors_.find(name)->second; }
  BertNorm norm(const std::string& name) const;
  BertLinear linear(const std::string& name, int outputs, int inputs,
                    kernels::Precision precision) const;

  artifact::TensorSet files_;                                 // fp32 stays in them, by mmap
  std::map<std::string, std::vector<float>> converted_;       // of other types
  std::map<std::string, const float*, std::less<>> tensors_;  // of bert_tensors(config)
};

}  // namespace podium::text
