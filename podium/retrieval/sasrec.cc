#include "podium/retrieval/sasrec.h"

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {

namespace {

constexpr const char* kSasrecWeights = "sasrec.safetensors";
constexpr const char* kSasrecGraph = "sasrec-graph.safetensors";  // of large catalogues

}  // namespace

Sasrec::Sasrec(const fs::path& dir)
    : path_(dir / kSasrecWeights),
      model_(path_),
      index_(VectorIndex::open_or_build(model_.item_vectors(), model_.dim(), dir / kSasrecGraph)) {}

std::vector<float> Sasrec::user_vector(std::span<const ItemIndex> history) const {
  return model_.user_vector(history);
}

float Sasrec::score(std::span<const float> user, ItemIndex item) const {
  return kernels::dot(user.data(), index_.vector(item).data(), index_.dim());
}

float Sasrec::score(std::span<const float> user, const AddedItem& added) const {
  PODIUM_CHECK(added.sequence.size() == user.size());
  return kernels::dot(user.data(), added.sequence.data(), user.size());
}

std::vector<Scored> Sasrec::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  const std::vector<float> user = user_vector(query.history);
  std::vector<Scored> found = index_.search(user, query, n);
  if (!query.added.empty() && !query.added.front()->sequence.empty()) {
    find_added(
        query, items(), n, [&](const AddedItem& added) { return score(user, added); }, found);
  }
  return found;
}

void Sasrec::save(const fs::path& dir) const {
  fs::copy_file(path_, dir / kSasrecWeights, fs::copy_options::overwrite_existing);
  index_.save_graph(dir / kSasrecGraph);
}

}  // namespace podium::retrieval
