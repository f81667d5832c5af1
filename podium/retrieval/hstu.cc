#include "podium/retrieval/hstu.h"

namespace podium::retrieval {

std::unique_ptr<Hstu> Hstu::fit(const SourceInputs& inputs) {
  return inputs.hstu_dir.empty() ? nullptr : load(inputs.hstu_dir);
}

std::unique_ptr<Hstu> Hstu::load(const fs::path& dir) {
  return fs::exists(dir / kFile) ? std::make_unique<Hstu>(dir) : nullptr;
}

Hstu::Hstu(const fs::path& dir)
    : path_(dir / kFile), model_(path_), index_(model_.item_vectors(), model_.dim()) {}

std::vector<Scored> Hstu::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  const auto history = model_.read({query.history, query.times, query.now});
  return index_.search(history.user, query, n);
}

void Hstu::save(const fs::path& dir) const {
  fs::copy_file(path_, dir / kFile, fs::copy_options::overwrite_existing);
}

}  // namespace podium::retrieval
