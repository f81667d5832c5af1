// The facts of a run's items, with the vectors of its sid stage.
#pragma once

#include "podium/base/files.h"
#include "podium/data/item_facts.h"
#include "podium/sid/item_vectors.h"

namespace podium::rerank {

// Immutable and thread-safe. `facts` points into it, so it stays where it was made.
struct RunFacts {
  // Throws Error when the vectors are missing, damaged, or of another dataset.
  RunFacts(const data::View& view, const fs::path& sid_dir);
  RunFacts(const RunFacts&) = delete;
  RunFacts& operator=(const RunFacts&) = delete;

  const sid::ItemVectors vectors;
  const data::ItemFacts facts;
};

}  // namespace podium::rerank
