// Random weights of a sequence model, for tests and benchmarks: a file as the trainer exports it.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/base/rng.h"
#include "podium/sequence/time_bucket.h"

namespace podium::sequence {

struct TestShape {
  size_t items, dim, blocks, heads, max_len;
};

class TestWeights {
 public:
  TestWeights(const TestShape& shape, uint64_t seed) : shape_(shape), rng_(seed) {
    for (const auto& [key, value] :
         {std::pair{"dim", shape.dim}, std::pair{"blocks", shape.blocks},
          std::pair{"heads", shape.heads}, std::pair{"max_len", shape.max_len}}) {
      writer_.set_metadata(key, std::to_string(value));
    }
    add("item_embedding", shape.items * shape.dim, 1);
    norm("norm");
  }

  // hstu.safetensors
  void write_hstu(const fs::path& file) {
    const size_t dim = shape_.dim;
    for (size_t b = 0; b < shape_.blocks; ++b) {
      const std::string at = "blocks." + std::to_string(b);
      norm(at + ".norm");
      linear(at + ".uvqk", 4 * dim, dim);
      linear(at + ".out", dim, dim);
      add(at + ".position_bias", shape_.max_len + 1, 0.5F);
      add(at + ".time_bias", kTimeBuckets, 0.5F);
    }
    add("rank_head", dim, 0.3F);
    writer_.write(file);
  }

  // sasrec.safetensors, of a model that reads text of `text_width` numbers (0: none)
  void write_sasrec(const fs::path& file, size_t text_width = 0) {
    const size_t dim = shape_.dim;
    if (text_width > 0) add("text_projection", dim * text_width, 1);
    add("position_embedding", shape_.max_len * dim, 0.5F);
    for (size_t b = 0; b < shape_.blocks; ++b) {
      const std::string at = "blocks." + std::to_string(b);
      norm(at + ".norm1");
      norm(at + ".norm2");
      for (const char* name : {"q", "k", "v", "o"}) linear(at + ".attention." + name, dim, dim);
      linear(at + ".ffn.up", 4 * dim, dim);
      linear(at + ".ffn.down", dim, 4 * dim);
    }
    writer_.write(file);
  }

  const std::vector<float>& operator[](const std::string& name) const { return tensors_.at(name); }

 private:
  void add(const std::string& name, size_t size, float spread, float mean = 0) {
    std::vector<float>& values = tensors_[name];
    for (size_t i = 0; i < size; ++i) values.push_back(mean + spread * float(rng_.normal()));
    writer_.add<float>(name, values);
  }
  void norm(const std::string& name) {
    add(name + ".weight", shape_.dim, 0.1F, 1);
    add(name + ".bias", shape_.dim, 0.1F);
  }
  void linear(const std::string& name, size_t outputs, size_t inputs) {
    add(name + ".weight", outputs * inputs, 1 / std::sqrt(float(inputs)));
    add(name + ".bias", outputs, 0.1F);
  }

  TestShape shape_;
  Rng rng_;
  std::map<std::string, std::vector<float>> tensors_;
  artifact::SafetensorsWriter writer_;
};

}  // namespace podium::sequence
