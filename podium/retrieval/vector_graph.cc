#include "podium/retrieval/vector_graph.h"

#include <faiss/IndexHNSW.h>
#include <faiss/impl/DistanceComputer.h>

#include <algorithm>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/kernels/kernels.h"

extern "C" void omp_set_num_threads(int);  // of the OpenMP that Faiss links

namespace podium::retrieval {
namespace {

using Id = faiss::Index::idx_t;

constexpr int kLinks = 32;
constexpr int kBreadth = 256;   // nodes kept while searching
constexpr size_t kStep = 1000;  // items that are added between two looks for an interrupt

// Callers parallelise over queries; a graph that several threads build depends on their order.
void use_one_thread() { omp_set_num_threads(1); }

class Products : public faiss::DistanceComputer {
 public:
  Products(const float* vectors, size_t dim) : vectors_(vectors), dim_(dim) {}
  void set_query(const float* query) override { query_ = query; }
  float operator()(Id i) override {
    return kernels::dot(query_, vectors_ + size_t(i) * dim_, dim_);
  }
  float symmetric_dis(Id i, Id j) override {
    return kernels::dot(vectors_ + size_t(i) * dim_, vectors_ + size_t(j) * dim_, dim_);
  }

 private:
  const float* vectors_;
  size_t dim_;
  const float* query_ = nullptr;
};

// Where the graph asks for its vectors.
class Rows : public faiss::Index {
 public:
  Rows(std::span<const float> vectors, size_t dim)
      : Index(Id(dim), faiss::METRIC_INNER_PRODUCT), vectors_(vectors) {}
  void add(Id n, const float*) override { ntotal += n; }
  void reset() override { ntotal = 0; }
  faiss::DistanceComputer* get_distance_computer() const override {
    return new Products(vectors_.data(), size_t(d));
  }
  void search(Id, const float*, Id, float*, Id*, const faiss::SearchParameters*) const override {
    PODIUM_CHECK(false);  // only the graph is searched
  }

 private:
  std::span<const float> vectors_;
};

// Every link of level l leads to a node that has a level l: else the search would read the links of
// another node, or none.
bool links_are_sound(const faiss::HNSW& graph) {
  const size_t items = graph.levels.size();
  for (size_t i = 0; i < items; ++i) {
    for (int level = 0; level < graph.levels[i]; ++level) {
      size_t begin = 0, end = 0;
      graph.neighbor_range(Id(i), level, &begin, &end);
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

struct VectorGraph::Built {
  Built(std::span<const float> vectors, size_t dim)
      : rows(std::make_unique<Rows>(vectors, dim)), index(rows.get(), kLinks) {
    index.hnsw.efSearch = kBreadth;
  }

  std::unique_ptr<faiss::Index> rows;
  faiss::IndexHNSW index;
};

VectorGraph::VectorGraph(std::span<const float> vectors, size_t dim)
    : built_(std::make_unique<Built>(vectors, dim)) {
  use_one_thread();
  const size_t items = vectors.size() / dim;
  Progress progress("graph of items", items, "items");
  for (size_t begin = 0; begin < items; begin += kStep) {
    stop_if_interrupted();
    const size_t n = std::min(kStep, items - begin);
    built_->index.add(Id(n), &vectors[begin * dim]);
    progress.add(n);
  }
}

VectorGraph::VectorGraph(std::span<const float> vectors, size_t dim, const fs::path& file)
    : built_(std::make_unique<Built>(vectors, dim)) {
  const size_t items = vectors.size() / dim;
  read_graph(artifact::SafetensorsFile(file), file, items, built_->index.hnsw);
  built_->index.ntotal = built_->rows->ntotal = Id(items);
}

VectorGraph::VectorGraph(VectorGraph&&) noexcept = default;
VectorGraph::~VectorGraph() = default;

void VectorGraph::save(const fs::path& file) const {
  const faiss::HNSW& graph = built_->index.hnsw;
  const int32_t entry = graph.entry_point;
  artifact::SafetensorsWriter writer;
  writer.add<int32_t>("levels", graph.levels);
  writer.add<int32_t>("neighbors", graph.neighbors);
  writer.add<int32_t>("entry_point", std::span<const int32_t>(&entry, 1));
  writer.write(file);
}

std::vector<Scored> VectorGraph::search(std::span<const float> user, size_t n) const {
  std::vector<float> scores(n);
  std::vector<Id> labels(n);
  use_one_thread();
  built_->index.search(1, user.data(), Id(n), scores.data(), labels.data());
  std::vector<Scored> found;
  for (size_t i = 0; i < n; ++i) {
    if (labels[i] >= 0) found.push_back({static_cast<ItemIndex>(labels[i]), scores[i]});
  }
  return found;
}

}  // namespace podium::retrieval
