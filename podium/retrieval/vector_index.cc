#include "podium/retrieval/vector_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/utils/distances.h>

#include "podium/base/error.h"
#include "podium/retrieval/ranked.h"

extern "C" void omp_set_num_threads(int);  // of the OpenMP that Faiss links

namespace podium::retrieval {
namespace {

constexpr size_t kExactBelow = 200000;
constexpr int kHnswLinks = 32;

}  // namespace

struct VectorIndex::Ann {
  std::unique_ptr<faiss::Index> index;
};

VectorIndex::VectorIndex(std::span<const float> vectors, size_t dim)
    : vectors_(vectors.begin(), vectors.end()), dim_(dim), ann_(std::make_unique<Ann>()) {
  PODIUM_CHECK(dim > 0 && vectors.size() % dim == 0);
  // Debian's Faiss has no SIMD of its own; its BLAS path, meant for batches, is ten times faster
  // even for one query.
  faiss::distance_compute_blas_threshold = 1;
  if (items() < kExactBelow) {
    ann_->index = std::make_unique<faiss::IndexFlatIP>(faiss::Index::idx_t(dim));
  } else {
    auto index =
        std::make_unique<faiss::IndexHNSWFlat>(int(dim), kHnswLinks, faiss::METRIC_INNER_PRODUCT);
    index->hnsw.efSearch = 256;
    ann_->index = std::move(index);
  }
  ann_->index->add(faiss::Index::idx_t(items()), vectors_.data());
}

VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex::~VectorIndex() = default;

std::vector<Scored> VectorIndex::search(std::span<const float> user, const Query& query,
                                        size_t n) const {
  PODIUM_CHECK(user.size() == dim_);
  const auto hidden = hidden_items(query);
  const size_t asked = std::min(items(), n + hidden.size());
  std::vector<float> scores(asked);
  std::vector<faiss::Index::idx_t> labels(asked);
  omp_set_num_threads(1);  // callers parallelise over queries
  ann_->index->search(1, user.data(), faiss::Index::idx_t(asked), scores.data(), labels.data());
  std::vector<Scored> found;
  for (size_t i = 0; i < asked; ++i) {
    const auto item = static_cast<ItemIndex>(labels[i]);
    if (labels[i] >= 0 && !hidden.contains(item)) found.push_back({item, scores[i]});
  }
  keep_best(found, n);
  return found;
}

}  // namespace podium::retrieval
