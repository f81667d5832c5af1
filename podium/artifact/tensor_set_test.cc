// The weights of a directory: whole or in shards, complete or refused by name.
#include "podium/artifact/tensor_set.h"

#include <gtest/gtest.h>

#include <cstring>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/scratch.h"

namespace podium::artifact {
namespace {

const std::vector<float> kValues = {1, 2, 3};

void write(const fs::path& file, const std::vector<std::string>& names) {
  SafetensorsWriter writer;
  for (const std::string& name : names) writer.add<float>(name, kValues);
  writer.write(file);
}

// Tensors a and b in the first shard, c in the second.
fs::path sharded(const std::string& name, const Json& weight_map) {
  const fs::path dir = scratch_dir(name);
  write(dir / "m-1.safetensors", {"a", "b"});
  write(dir / "m-2.safetensors", {"c"});
  write_json_atomic(dir / "model.safetensors.index.json",
                    {{"metadata", Json::object()}, {"weight_map", weight_map}});
  return dir;
}

const Json kMap = {{"a", "m-1.safetensors"}, {"b", "m-1.safetensors"}, {"c", "m-2.safetensors"}};

std::string refusal(const fs::path& dir) {
  try {
    TensorSet set(dir);
  } catch (const Error& error) {
    EXPECT_FALSE(error.cure().empty());
    return error.message();
  }
  return "read";
}

TEST(TensorSet, ReadsShardsAsOne) {
  const TensorSet set(sharded("shards", kMap));
  EXPECT_EQ(set.tensors().size(), 3U);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(set.tensor(name).shape, (std::vector<int64_t>{3})) << name;
  }
  const TensorSet moved = TensorSet(sharded("shards_moved", kMap));
  float second = 0;
  std::memcpy(&second, moved.tensor("c").bytes.data() + 4, 4);
  EXPECT_EQ(second, 2);
}

TEST(TensorSet, MissingAndDoubledTensorsAreNamed) {
  const auto with = [](const char* name, const Json& shard) {
    Json map = kMap;
    map[name] = shard;
    return refusal(sharded("shards_bad", map));
  };
  EXPECT_EQ(with("a", "m-1.safetensors"), "read");
  EXPECT_NE(with("d", "m-2.safetensors").find("tensor d"), std::string::npos);
  EXPECT_NE(with("b", "m-2.safetensors").find("tensor b"), std::string::npos);
  EXPECT_NE(with("c", "m-3.safetensors").find("m-3.safetensors is missing"), std::string::npos);
  for (const Json& shard : {Json("../m-1.safetensors"), Json("/etc/passwd"), Json("m-1.bin"),
                            Json(3), Json(nullptr), Json(".safetensors/../m-1.safetensors")}) {
    EXPECT_NE(with("a", shard).find("tensor a"), std::string::npos) << shard;
  }
  Json fewer = kMap;
  fewer.erase("b");
  EXPECT_NE(refusal(sharded("shards_bad", fewer)).find("tensor b"), std::string::npos);
  for (const Json& map : {Json(nullptr), Json::array(), Json::object(), Json(3)}) {
    EXPECT_NE(refusal(sharded("shards_bad", map)).find("weight_map"), std::string::npos);
  }
  // The same tensor in both shards.
  const fs::path dir = sharded("shards_twice", kMap);
  write(dir / "m-2.safetensors", {"b", "c"});
  EXPECT_NE(refusal(dir).find("tensor b"), std::string::npos);
}

TEST(TensorSet, LikeNamesAreAHint) {
  const fs::path dir = scratch_dir("prefixed");
  for (const char* prefix : {"_orig_mod.", "module.", "base_model.model."}) {
    write(dir / "model.safetensors", {std::string(prefix) + "model.norm.weight", "z"});
    const TensorSet set(dir);
    try {
      set.tensor("model.norm.weight");
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(std::string(prefix) + "model.norm.weight"), std::string::npos);
      EXPECT_NE(error.where().find("model.safetensors"), std::string::npos);
    }
  }
  write(dir / "model.safetensors", {"norm.weight"});
  EXPECT_THROW(TensorSet(dir).tensor("model.norm.weight"), Error);
  fs::remove(dir / "model.safetensors");
  EXPECT_NE(refusal(dir).find("weights are missing: there is no model.safetensors"),
            std::string::npos);
}

}  // namespace
}  // namespace podium::artifact
