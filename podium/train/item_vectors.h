// The items' text vectors, as stage sid writes them.
#pragma once

#include <span>

#include "podium/artifact/safetensors.h"

namespace podium::train {

// item_vectors.safetensors, tensor "vectors" [items, dim], opened by mmap.
struct ItemVectors {
  // Throws Error when the file is damaged or of another number of items.
  ItemVectors(const fs::path& file, size_t items);

  artifact::SafetensorsFile file;
  std::span<const float> values;  // valid while this object lives
  size_t dim = 0;
};

}  // namespace podium::train
