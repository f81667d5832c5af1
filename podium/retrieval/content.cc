#include "podium/retrieval/content.h"

#include <cmath>

#include "podium/artifact/safetensors.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/ranked.h"

namespace podium::retrieval {

Content::Content(std::span<const float> vectors, size_t dim, int last)
    : index_(vectors, dim), last_(last) {}

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

std::vector<Scored> Content::retrieve(const Query& query, size_t n) const {
  if (query.history.empty()) return {};
  std::vector<Scored> found = index_.search(mean(query.history), query, n);
  std::erase_if(found, [](const Scored& scored) { return scored.score <= 0; });
  return found;
}

void Content::save(const fs::path& dir) const {
  artifact::SafetensorsWriter writer;
  const int64_t rows = int64_t(index_.items()), dim = int64_t(index_.dim());
  writer.add<float>("vectors", {index_.vector(0).data(), size_t(rows * dim)}, {rows, dim});
  writer.set_metadata("last", std::to_string(last_));
  writer.write(dir / "content.safetensors");
}

std::unique_ptr<Content> Content::load(const fs::path& dir) {
  const artifact::SafetensorsFile file(dir / "content.safetensors");
  const int64_t dim = file.tensor("vectors").shape.at(1);
  return std::make_unique<Content>(file.get<float>("vectors"), size_t(dim),
                                   std::stoi(file.metadata().at("last")));
}

}  // namespace podium::retrieval
