// What a sentence encoder's Hugging Face directory says of its model, beside the weights.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "podium/base/files.h"

namespace podium::text {

struct BertConfig {
  int vocab = 0, hidden = 0, layers = 0, heads = 0, ffn = 0;
  int positions = 0, types = 0;  // rows of the position and the type embeddings
  float norm_eps = 1e-12F;
  int max_tokens = 0;  // of a text, [CLS] and [SEP] included
};

// From config.json and, where they are, sentence-transformers' modules.json (mean pooling, perhaps
// normalised), sentence_bert_config.json (max_seq_length) and config_sentence_transformers.json.
// Throws Error by name on what podium would not compute: other architectures, activations,
// positions, poolings, modules and default prompts, and keys that it does not know.
BertConfig read_bert_config(const fs::path& dir);

// The tensors that the encoder reads, with their shapes.
std::vector<std::pair<std::string, std::vector<int64_t>>> bert_tensors(const BertConfig& config);

// The files of a model's directory that say what it computes, relative to it: those that are there.
std::vector<std::string> bert_files(const fs::path& dir);

}  // namespace podium::text
