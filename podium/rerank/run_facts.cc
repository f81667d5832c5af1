#include "podium/rerank/run_facts.h"

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

data::ItemFacts facts_with(const artifact::SafetensorsFile& file, const data::View& view,
                           const fs::path& dir) {
  const auto& shape = file.tensor("vectors").shape;
  const auto vectors = file.get<float>("vectors");
  if (shape.size() != 2 || size_t(shape[0]) != view.dataset->items()) {
    throw Error("the item vectors belong to another dataset", "give the run's own dataset",
                dir.string());
  }
  return data::item_facts(view, vectors, size_t(shape[1]));
}

}  // namespace

RunFacts::RunFacts(const data::View& view, const fs::path& sid_dir)
    : vectors(sid_dir / "item_vectors.safetensors"), facts(facts_with(vectors, view, sid_dir)) {}

}  // namespace podium::rerank
