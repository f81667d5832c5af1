#include "podium/rerank/run_facts.h"

namespace podium::rerank {

RunFacts::RunFacts(const data::View& view, const fs::path& sid_dir)
    : vectors(sid_dir / sid::kItemVectorsFile, view.dataset->items()),
      facts(data::item_facts(view, vectors.values, vectors.dim)) {}

}  // namespace podium::rerank
