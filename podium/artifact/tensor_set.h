// The weights of a Hugging Face directory: model.safetensors, or the shards that
// model.safetensors.index.json lists.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "podium/artifact/safetensors.h"

namespace podium::artifact {

// Opened by mmap and checked: each tensor lies in the one shard that the index names, and no shard
// holds another. Throws Error. Immutable and thread-safe once open; tensors are views, valid while
// this object or the one it was moved to lives.
class TensorSet {
 public:
  TensorSet() = default;
  explicit TensorSet(const fs::path& dir);

  bool has(std::string_view name) const { return tensors_.contains(name); }
  // Throws Error that hints at like names when there is none.
  const TensorView& tensor(std::string_view name) const;
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }

 private:
  void read_index(const fs::path& index);

  std::string where_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

}  // namespace podium::artifact
