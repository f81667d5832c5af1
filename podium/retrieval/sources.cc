#include "podium/retrieval/sources.h"

namespace podium::retrieval {

std::vector<const Retriever*> Sources::all() const {
  std::vector<const Retriever*> list = {popularity.get(), covisitation.get(), content.get()};
  if (sasrec) list.push_back(sasrec.get());
  return list;
}

Sources fit_sources(const SourceInputs& inputs, const SourceOptions& options) {
  Sources sources;
  sources.popularity = Popularity::fit(*inputs.view, options.half_life_days);
  sources.covisitation = Covisitation::fit(*inputs.view, options.covisitation);
  sources.content = std::make_unique<Content>(inputs.item_vectors, inputs.dim);
  if (!inputs.sasrec_dir.empty()) sources.sasrec = std::make_unique<Sasrec>(inputs.sasrec_dir);
  return sources;
}

void save_sources(const Sources& sources, const fs::path& dir) {
  for (const Retriever* source : sources.all()) source->save(dir);
}

Sources load_sources(const fs::path& dir, const SourceOptions& options) {
  Sources sources;
  sources.popularity = Popularity::load(dir);
  sources.covisitation = Covisitation::load(dir, options.covisitation);
  sources.content = Content::load(dir);
  if (fs::exists(dir / "sasrec.safetensors")) sources.sasrec = std::make_unique<Sasrec>(dir);
  return sources;
}

}  // namespace podium::retrieval
