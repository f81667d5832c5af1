#include "podium/artifact/tensor_set.h"

#include <fmt/format.h>

#include <set>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::artifact {
namespace {

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kCure = "download the checkpoint again, or merge its shards into one file";

// Tensor name to shard, both as the index says.
std::map<std::string, std::string> weight_map_of(const Json& index, const fs::path& path) {
  const auto at = index.is_object() ? index.find("weight_map") : index.end();
  if (at == index.end() || !at->is_object() || at->empty()) {
    throw Error("the index of shards has no weight_map", kCure, path.string());
  }
  std::map<std::string, std::string> shards;
  for (const auto& [name, shard] : at->items()) {
    const std::string file = shard.is_string() ? shard.get<std::string>() : "";
    if (!file.ends_with(".safetensors") || fs::path(file).filename() != file) {
      throw Error(
          fmt::format("the index places tensor {} in no safetensors file of this folder", name),
          kCure, path.string());
    }
    shards[name] = file;
  }
  return shards;
}

}  // namespace

TensorSet::TensorSet(const fs::path& dir) : where_((dir / kWhole).string()) {
  if (fs::exists(dir / kWhole)) {
    tensors_ = files_.emplace_back(dir / kWhole).tensors();
  } else if (fs::exists(dir / kIndex)) {
    read_index(dir / kIndex);
  } else {
    throw Error(ErrorKind::kNotFound,
                fmt::format("the weights are missing: there is no {}, and no {}", kWhole, kIndex),
                "copy them here: the whole file, or the shards with their index", dir.string());
  }
}

void TensorSet::read_index(const fs::path& index) {
  where_ = index.string();
  const auto shards = weight_map_of(read_json(index), index);
  std::set<std::string> names;
  for (const auto& [name, shard] : shards) names.insert(shard);
  for (const std::string& shard : names) {
    const fs::path path = index.parent_path() / shard;
    if (!fs::exists(path)) {
      throw Error(fmt::format("shard {} is missing", shard), kCure, where_);
    }
    for (const auto& [name, view] : files_.emplace_back(path).tensors()) {
      const auto listed = shards.find(name);
      if (listed == shards.end() || listed->second != shard) {
        throw Error(fmt::format("tensor {} of this shard stands {} in the index", name,
                                listed == shards.end() ? "nowhere" : "under " + listed->second),
                    kCure, path.string());
      }
      tensors_.emplace(name, view);
    }
  }
  for (const auto& [name, shard] : shards) {
    if (!has(name))
      throw Error(fmt::format("shard {} has no tensor {}", shard, name), kCure, where_);
  }
}

const TensorView& TensorSet::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::string like;
  for (const auto& [other, view] : tensors_) {
    if (other.ends_with(name) || name.ends_with(other)) like = other;
  }
  if (like.empty()) {
    throw Error(fmt::format("no tensor {}", name), "use a complete checkpoint", where_);
  }
  throw Error(fmt::format("no tensor {}, but there is {}", name, like),
              "save the model without its wrapper, so that its tensors have their usual names",
              where_);
}

}  // namespace podium::artifact
