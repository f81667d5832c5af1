// The weights of a policy on disk, as fp32 by Hugging Face name.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "podium/artifact/tensor_set.h"
#include "podium/rerank/model_spec.h"

namespace podium::runtime {

struct Checkpoint {
  rerank::ModelSpec spec;
  std::map<std::string, std::span<const float>, std::less<>> tensors;  // of tensor_table(spec)
  // What they lie in: fp32 stays in the file, by mmap, so that replicas share its pages.
  artifact::TensorSet files;
  std::map<std::string, std::vector<float>, std::less<>> converted;
};

// A Hugging Face directory (config.json, model.safetensors or its shards in F32, F16 or BF16) or a
// GGUF file (architecture qwen3 or llama; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K). Throws
// Error on a file that is missing, damaged, of another architecture, whose tensors do not fit its
// own configuration, or that holds what podium would not compute: scaled positions other than those
// of rope.h, biases, further weights. Tensors that belong to no layer are left alone.
Checkpoint read_checkpoint(const fs::path& path);

// A hash of all that a checkpoint says: of the GGUF file, or of the directory's configuration,
// weights and tokenizer. Throws Error when there is no such checkpoint.
std::string checkpoint_identity(const fs::path& path);

}  // namespace podium::runtime
