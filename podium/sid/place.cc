#include "podium/sid/place.h"

#include <algorithm>
#include <limits>

#include "podium/base/error.h"

namespace podium::sid {
namespace {

uint16_t nearest_code(std::span<const float> residual, std::span<const float> centroids) {
  const size_t dim = residual.size();
  float least = std::numeric_limits<float>::infinity();
  size_t best = 0;
  for (size_t code = 0; code < centroids.size() / dim; ++code) {
    float distance = 0;
    for (size_t d = 0; d < dim; ++d) {
      const float gap = residual[d] - centroids[code * dim + d];
      distance += gap * gap;
    }
    if (distance < least) least = distance, best = code;
  }
  return uint16_t(best);
}

// The lowest code that follows the prefix in no semantic ID.
uint16_t free_code(const SidTable& table, std::span<const uint16_t> prefix,
                   std::span<const std::vector<uint16_t>> others) {
  std::vector<bool> used(size_t(table.codes_per_level));
  const auto note = [&](std::span<const uint16_t> sid) {
    if (std::equal(prefix.begin(), prefix.end(), sid.begin())) used[sid.back()] = true;
  };
  for (size_t item = 0; item < table.items(); ++item) note(table.of(uint32_t(item)));
  for (const auto& sid : others) note(sid);
  const auto free = std::find(used.begin(), used.end(), false);
  return free == used.end() ? 0 : uint16_t(free - used.begin());
}

}  // namespace

std::vector<uint16_t> place(const SidModel& model, std::span<const float> vector,
                            std::span<const std::vector<uint16_t>> others) {
  PODIUM_CHECK(vector.size() == model.vector_dim());
  const size_t dim = size_t(model.dim), levels = size_t(model.table.levels);
  const size_t size = size_t(model.table.codes_per_level) * dim;
  std::vector<float> residual = model.encoder.apply(vector, 1);
  std::vector<uint16_t> codes;
  for (size_t level = 0; level < levels; ++level) {
    const auto centroids = std::span(model.centroids).subspan(level * size, size);
    const bool fitted =
        std::any_of(centroids.begin(), centroids.end(), [](float x) { return x != 0; });
    if (!fitted && level + 1 == levels) {
      codes.push_back(free_code(model.table, codes, others));
      break;
    }
    codes.push_back(nearest_code(residual, centroids));
    for (size_t d = 0; d < dim; ++d) residual[d] -= centroids[codes.back() * dim + d];
  }
  return codes;
}

}  // namespace podium::sid
