// What the blocks of sequence models are made of. Rows are [rows, dim], row-major; the rows of one
// call run on the calling thread. All of it is immutable and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/kernels/packed_matrix.h"

namespace podium::sequence {

// A model's safetensors file. Every error is an Error that names the file.
class Weights {
 public:
  explicit Weights(const fs::path& file) : path_(file), file_(file) {}

  size_t number(const char* key) const;  // of the metadata, 1 .. 65536
  // The tensor's values, which must be `size`; 0: any number but none.
  std::span<const float> tensor(const std::string& name, size_t size) const;
  bool has(const std::string& name) const { return file_.has(name); }
  [[noreturn]] void fail(const std::string& problem) const;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  artifact::SafetensorsFile file_;
};

// y = (x - mean) / sqrt(variance + eps) * weight + bias
class LayerNorm {
 public:
  LayerNorm(size_t dim, float eps);                                        // weights of 1, no bias
  LayerNorm(const Weights& weights, const std::string& name, size_t dim);  // eps 1e-5
  void apply(const float* x, float* y, size_t rows) const;                 // y may be x

 private:
  std::vector<float> weight_, bias_;
  float eps_;
};

// y = x weight^T + bias (+ y if accumulate).
class Linear {
 public:
  Linear(const Weights& weights, const std::string& name, size_t outputs, size_t inputs,
         kernels::Precision precision);
  void apply(kernels::LinearInput& x, float* y, bool accumulate = false) const;

 private:
  kernels::PackedMatrix weight_;
  std::vector<float> bias_;
};

// The item embeddings of a model [items, dim], in the file that holds them.
class ItemTable {
 public:
  ItemTable(const Weights& weights, size_t dim);
  std::span<const float> all() const { return values_; }
  std::span<const float> row(uint32_t item) const;

 private:
  std::span<const float> values_;
  size_t dim_;
};

}  // namespace podium::sequence
