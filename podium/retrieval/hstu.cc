#include "podium/retrieval/hstu.h"

#include <limits>

#include "podium/kernels/kernels.h"

namespace podium::retrieval {

std::unique_ptr<Hstu> Hstu::fit(const SourceInputs& inputs) {
  return inputs.hstu_dir.empty() ? nullptr : load(inputs.hstu_dir);
}

std::unique_ptr<Hstu> Hstu::load(const fs::path& dir) {
  return fs::exists(dir / kFile) ? std::make_unique<Hstu>(dir) : nullptr;
}

Hstu::Hstu(const fs::path& dir)
    : path_(dir / kFile),
      model_(path_),
      index_(VectorIndex::open_or_build(model_.item_vectors(), model_.dim(), dir / kGraph)) {}

std::vector<Scored> Hstu::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  const auto history = model_.read({query.history, query.times, query.now});
  return index_.search(history.user, query, n);
}

std::vector<float> Hstu::scores(const Query& query, std::span<const ItemIndex> items) const {
  if (query.history.empty()) return {};
  const std::vector<float> user = model_.read({query.history, query.times, query.now}).user;
  std::vector<float> scores;
  for (const ItemIndex item : items) {
    scores.push_back(item < index_.items()
                         ? kernels::dot(user.data(), index_.vector(item).data(), index_.dim())
                         : std::numeric_limits<float>::quiet_NaN());
  }
  return scores;
}

void Hstu::save(const fs::path& dir) const {
  fs::copy_file(path_, dir / kFile, fs::copy_options::overwrite_existing);
  index_.save_graph(dir / kGraph);
}

}  // namespace podium::retrieval
