#include "podium/retrieval/content.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {
namespace {

constexpr const char* kContentVectors = "content.safetensors";
constexpr const char* kContentGraph = "content-graph.safetensors";  // of large catalogues

}  // namespace

Content::Content(std::span<const float> vectors, size_t dim, int last)
    : Content(VectorIndex(vectors, dim), last) {}

Content::Content(VectorIndex index, int last) : index_(std::move(index)), last_(last) {}

std::vector<float> Content::mean(std::span<const ItemIndex> history) const {
  std::vector<float> sum(index_.dim());
  const size_t n = std::min(history.size(), size_t(last_));
  for (const ItemIndex item : history.last(n)) {
    kernels::axpy(1, index_.vector(item).data(), sum.data(), sum.size());
  }
  const float norm = std::sqrt(kernels::dot(sum.data(), sum.data(), sum.size()));
  if (norm > 0) {
    for (float& value : sum) value /= norm;
  }
  return sum;
}

float Content::similarity(ItemIndex a, ItemIndex b) const {
  return kernels::dot(index_.vector(a).data(), index_.vector(b).data(), index_.dim());
}

float Content::similarity(std::span<const float> mean, ItemIndex item) const {
  return kernels::dot(mean.data(), index_.vector(item).data(), index_.dim());
}

float Content::similarity(std::span<const float> a, std::span<const float> b) const {
  PODIUM_CHECK(a.size() == index_.dim() && b.size() == index_.dim());
  return kernels::dot(a.data(), b.data(), index_.dim());
}

std::vector<Scored> Content::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  return nearest(mean(query.history), query, n);
}

std::vector<Scored> Content::nearest(std::span<const float> vector, const Query& query,
                                     size_t n) const {
  std::vector<Scored> found = index_.search(vector, query, n);
  find_added(
      query, index_.items(), n,
      [&](const AddedItem& added) { return similarity(vector, added.vector); }, found);
  std::erase_if(found, [](const Scored& scored) { return scored.score <= 0; });
  return found;
}

void Content::save(const fs::path& dir) const {
  artifact::SafetensorsWriter writer;
  const int64_t rows = int64_t(index_.items()), dim = int64_t(index_.dim());
  writer.add<float>("vectors", {index_.vector(0).data(), size_t(rows * dim)}, {rows, dim});
  writer.set_metadata("last", std::to_string(last_));
  writer.write(dir / kContentVectors);
  index_.save_graph(dir / kContentGraph);
}

std::unique_ptr<Content> Content::load(const fs::path& dir) {
  const fs::path path = dir / kContentVectors;
  const artifact::SafetensorsFile file(path);
  const auto vectors = file.get<float>("vectors");
  const auto& shape = file.tensor("vectors").shape;
  const auto found = file.metadata().find("last");
  int last = 0;
  if (found != file.metadata().end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), last);
  }
  const auto unit = [](float x) { return std::abs(x) < 1.001F; };  // of a row of length 1; no NaN
  artifact::check_sound(
      shape.size() == 2 && !vectors.empty() && std::all_of(vectors.begin(), vectors.end(), unit),
      "the item vectors", path);
  artifact::check_sound(last > 0, "the number of history items", path);
  return std::unique_ptr<Content>(
      new Content(VectorIndex::open(vectors, size_t(shape[1]), dir / kContentGraph), last));
}

}  // namespace podium::retrieval
