#include "podium/retrieval/sasrec.h"

#include "podium/kernels/kernels.h"

namespace podium::retrieval {

Sasrec::Sasrec(const fs::path& dir)
    : path_(dir / "sasrec.safetensors"),
      model_(path_),
      index_(model_.item_vectors(), model_.dim()) {}

std::vector<float> Sasrec::user_vector(std::span<const ItemIndex> history) const {
  return model_.user_vector(history);
}

float Sasrec::score(std::span<const float> user, ItemIndex item) const {
  return kernels::dot(user.data(), index_.vector(item).data(), index_.dim());
}

std::vector<Scored> Sasrec::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  return index_.search(user_vector(query.history), query, n);
}

void Sasrec::save(const fs::path& dir) const {
  fs::copy_file(path_, dir / "sasrec.safetensors", fs::copy_options::overwrite_existing);
}

}  // namespace podium::retrieval
