// The items' text vectors, as stage sid keeps them beside the semantic IDs that it makes of them.
#pragma once

#include <span>

#include "podium/artifact/safetensors.h"
#include "podium/base/files.h"

namespace podium::sid {

inline constexpr const char* kItemVectorsFile = "item_vectors.safetensors";

// Tensor "vectors" [items, dim], opened by mmap.
struct ItemVectors {
  // Throws Error when the file is damaged or of another number of items.
  ItemVectors(const fs::path& file, size_t items);

  artifact::SafetensorsFile file;
  std::span<const float> values;  // valid while this object lives
  size_t dim = 0;
};

// vectors [items, dim]
void save_item_vectors(const fs::path& dir, std::span<const float> vectors, size_t dim);

}  // namespace podium::sid
