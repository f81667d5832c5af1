#include "podium/retrieval/vector_index.h"

#include <faiss/IndexHNSW.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/FaissException.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

extern "C" void omp_set_num_threads(int);  // of the OpenMP that Faiss links

namespace podium::retrieval {
namespace {

constexpr int kHnswLinks = 32;
constexpr int kBreadth = 256;  // nodes kept while searching
constexpr size_t kBlock = 16;  // items whose largest score is known

// Callers parallelise over queries; a graph that several threads build depends on their order.
void use_one_thread() { omp_set_num_threads(1); }

thread_local bool t_building = false;

// Faiss asks while it builds a graph, every so many items, and while it searches, which no
// interrupt ends: it takes no time.
struct Interruption : faiss::InterruptCallback {
  bool want_interrupt() override { return t_building && interrupted(); }
};

void install_interruption() {
  static const bool once = [] {
    faiss::InterruptCallback::instance = std::make_unique<Interruption>();
    return true;
  }();
  static_cast<void>(once);
}

// Adds the rows; throws Error of kind kInterrupted.
void build(faiss::IndexHNSWFlat& graph, faiss::Index::idx_t rows, const float* vectors) {
  t_building = true;
  try {
    graph.add(rows, vectors);
  } catch (const faiss::FaissException&) {
    t_building = false;
    stop_if_interrupted();
    throw;
  }
  t_building = false;
}

float length(std::span<const float> vector) {
  return std::sqrt(kernels::dot(vector.data(), vector.data(), vector.size()));
}

float largest(std::span<const float> vector) {
  float most = 0;
  for (const float value : vector) most = std::max(most, std::abs(value));
  return most;
}

// How far a vector's int8 form, one scale a vector, lies from it.
float int8_error(std::span<const float> vector) {
  const float scale = largest(vector) / 127;
  if (scale == 0) return 0;
  double sum = 0;
  for (const float value : vector) {
    const double off = double(value) - double(scale) * std::nearbyint(value / scale);
    sum += off * off;
  }
  return float(std::sqrt(sum)) * 1.0001F;
}

std::unique_ptr<faiss::IndexHNSWFlat> new_graph(size_t dim) {
  install_interruption();
  auto index =
      std::make_unique<faiss::IndexHNSWFlat>(int(dim), kHnswLinks, faiss::METRIC_INNER_PRODUCT);
  index->hnsw.efSearch = kBreadth;
  return index;
}

// Every link of level l leads to a node that has a level l: else the search would read the links of
// another node, or none.
bool links_are_sound(const faiss::HNSW& graph) {
  const size_t items = graph.levels.size();
  for (size_t i = 0; i < items; ++i) {
    for (int level = 0; level < graph.levels[i]; ++level) {
      size_t begin = 0, end = 0;
      graph.neighbor_range(faiss::Index::idx_t(i), level, &begin, &end);
      for (size_t at = begin; at < end; ++at) {
        const int other = graph.neighbors[at];
        if (other < -1 || other >= int(items)) return false;
        if (other >= 0 && graph.levels[size_t(other)] <= level) return false;
      }
    }
  }
  return true;
}

// Fills `graph` from the file. The places of a node's links follow from the levels.
void read_graph(const artifact::SafetensorsFile& file, const fs::path& path, size_t items,
                faiss::HNSW& graph) {
  const auto levels = file.get<int32_t>("levels"), neighbors = file.get<int32_t>("neighbors");
  const auto entry = file.get<int32_t>("entry_point");
  const auto deepest = int32_t(graph.cum_nneighbor_per_level.size()) - 1;
  artifact::check_sound(levels.size() == items && entry.size() == 1 && entry[0] >= 0 &&
                            size_t(entry[0]) < items &&
                            std::all_of(levels.begin(), levels.end(),
                                        [&](int32_t l) { return 1 <= l && l <= deepest; }),
                        "the graph is not one of these vectors", path);
  graph.levels.assign(levels.begin(), levels.end());
  graph.neighbors.assign(neighbors.begin(), neighbors.end());
  graph.offsets.assign(1, 0);
  for (const int32_t level : levels) {
    graph.offsets.push_back(graph.offsets.back() + size_t(graph.cum_nb_neighbors(level)));
  }
  graph.entry_point = entry[0];
  graph.max_level = *std::max_element(levels.begin(), levels.end()) - 1;
  artifact::check_sound(graph.offsets.back() == neighbors.size() &&
                            graph.levels[size_t(entry[0])] == graph.max_level + 1 &&
                            links_are_sound(graph),
                        "the graph's links lead nowhere", path);
}

}  // namespace

VectorIndex::VectorIndex(std::span<const float> vectors, size_t dim, Exact)
    : vectors_(vectors.begin(), vectors.end()), dim_(dim) {
  PODIUM_CHECK(dim > 0 && !vectors.empty() && vectors.size() % dim == 0);
}

VectorIndex::VectorIndex(std::span<const float> vectors, size_t dim, size_t exact_below)
    : VectorIndex(vectors, dim, Exact()) {
  if (items() < exact_below) {
    make_coarse();
    return;
  }
  use_one_thread();
  const auto rows = faiss::Index::idx_t(items());
  graph_ = new_graph(dim);
  build(*graph_, rows, vectors_.data());
}

VectorIndex VectorIndex::open(std::span<const float> vectors, size_t dim, const fs::path& path,
                              size_t exact_below) {
  VectorIndex index(vectors, dim, Exact());
  if (index.items() < exact_below) {
    index.make_coarse();
    return index;
  }
  index.graph_ = new_graph(dim);
  read_graph(artifact::SafetensorsFile(path), path, index.items(), index.graph_->hnsw);
  const auto rows = faiss::Index::idx_t(index.items());
  index.graph_->storage->add(rows, index.vectors_.data());
  index.graph_->ntotal = rows;
  return index;
}

void VectorIndex::save_graph(const fs::path& file) const {
  if (!graph_) return;
  const faiss::HNSW& graph = graph_->hnsw;
  const int32_t entry = graph.entry_point;
  artifact::SafetensorsWriter writer;
  writer.add<int32_t>("levels", graph.levels);
  writer.add<int32_t>("neighbors", graph.neighbors);
  writer.add<int32_t>("entry_point", std::span<const int32_t>(&entry, 1));
  writer.write(file);
}

VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex::~VectorIndex() = default;

void VectorIndex::make_coarse() {
  coarse_ = kernels::PackedMatrix(vectors_.data(), items(), dim_, kernels::Precision::kInt8);
  for (ItemIndex item = 0; item < ItemIndex(items()); ++item) {
    coarse_error_ = std::max(coarse_error_, int8_error(vector(item)));
    longest_ = std::max(longest_, length(vector(item)));
  }
}

// Products of the int8 rows with the user's vector, which is told in two int8 parts, so that its
// own rounding does not count: user = parts[0] + parts[1] + what int8_error says of the second.
void VectorIndex::coarse_scores(std::span<const float> user, std::vector<float>& parts,
                                std::vector<float>& scores) const {
  thread_local kernels::LinearInput input;
  parts.resize(2 * dim_);
  const float scale = largest(user) / 127;
  for (size_t d = 0; d < dim_; ++d) {
    parts[d] = scale > 0 ? scale * std::nearbyint(user[d] / scale) : 0;
    parts[dim_ + d] = user[d] - parts[d];
  }
  scores.resize(2 * items());
  input.assign(parts.data(), 2, dim_);
  coarse_.apply(input, scores.data());
  kernels::axpy(1, scores.data() + items(), scores.data(), items());
}

// An int8 product is off by at most
//   e = |user| x coarse_error_ + error of the user's parts x (longest_ + coarse_error_),
// so whoever is among the n best by the true products is, by the int8 ones, no more than 2e below
// the n-th of them, or below anything that is no more than that. Those are compared by the true
// ones: the result is, to the bit, what it would be without the int8 form.
std::vector<Scored> VectorIndex::exact(std::span<const float> user, size_t n) const {
  thread_local std::vector<float> parts, scores, tops;
  n = std::min(n, items());
  if (n == 0) return {};
  coarse_scores(user, parts, scores);
  tops.clear();
  for (size_t begin = 0; begin < items(); begin += kBlock) {
    tops.push_back(kernels::max_of(&scores[begin], std::min(kBlock, items() - begin)));
  }
  const float error = length(user) * coarse_error_ +
                      int8_error({&parts[dim_], dim_}) * (longest_ + coarse_error_) +
                      1e-5F * (1 + length(user) * longest_);  // of fp32 sums
  const float least = lower_bound_of_nth(scores, tops, n) - 2 * error;
  std::vector<Scored> found;
  for (size_t block = 0; block < tops.size(); ++block) {
    if (tops[block] < least) continue;
    const auto end = ItemIndex(std::min((block + 1) * kBlock, items()));
    for (auto item = ItemIndex(block * kBlock); item < end; ++item) {
      if (scores[item] < least) continue;
      found.push_back({item, kernels::dot(user.data(), vector(item).data(), dim_)});
    }
  }
  keep_best(found, n);
  return found;
}

// No more than the n-th largest score: that of the blocks' largest ones, which are scores too;
// where there are fewer blocks, the smallest score.
float VectorIndex::lower_bound_of_nth(const std::vector<float>& scores,
                                      const std::vector<float>& tops, size_t n) const {
  if (n > tops.size()) {
    return *std::min_element(scores.begin(), scores.begin() + std::ptrdiff_t(items()));
  }
  std::vector<float> sorted = tops;
  const auto nth = sorted.begin() + std::ptrdiff_t(n - 1);
  std::nth_element(sorted.begin(), nth, sorted.end(), std::greater<>());
  return *nth;
}

std::vector<Scored> VectorIndex::by_graph(std::span<const float> user, size_t n) const {
  std::vector<float> scores(n);
  std::vector<faiss::Index::idx_t> labels(n);
  use_one_thread();
  graph_->search(1, user.data(), faiss::Index::idx_t(n), scores.data(), labels.data());
  std::vector<Scored> found;
  for (size_t i = 0; i < n; ++i) {
    if (labels[i] >= 0) found.push_back({static_cast<ItemIndex>(labels[i]), scores[i]});
  }
  return found;
}

std::vector<Scored> VectorIndex::search(std::span<const float> user, const Query& query,
                                        size_t n) const {
  PODIUM_CHECK(user.size() == dim_);
  const auto hidden = hidden_items(query);
  const size_t asked = std::min(items(), n + hidden.size());
  std::vector<Scored> found = graph_ ? by_graph(user, asked) : exact(user, asked);
  std::erase_if(found, [&](const Scored& scored) { return hidden.contains(scored.item); });
  keep_best(found, n);
  return found;
}

}  // namespace podium::retrieval
