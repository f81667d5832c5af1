#include "podium/sid/item_vectors.h"

#include "podium/base/error.h"

namespace podium::sid {

ItemVectors::ItemVectors(const fs::path& path, size_t items) : file(path) {
  const auto& shape = file.tensor("vectors").shape;
  if (shape.size() != 2 || size_t(shape[0]) != items || shape[1] == 0) {
    throw Error("these vectors belong to another catalogue",
                "give the item_vectors.safetensors of this dataset's stage sid", path.string());
  }
  values = file.get<float>("vectors");
  dim = size_t(shape[1]);
}

void save_item_vectors(const fs::path& dir, std::span<const float> vectors, size_t dim) {
  artifact::SafetensorsWriter writer;
  writer.add<float>("vectors", vectors, {int64_t(vectors.size() / dim), int64_t(dim)});
  writer.write(dir / kItemVectorsFile);
}

}  // namespace podium::sid
