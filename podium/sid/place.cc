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

}  // namespace

void TakenSids::remove(const std::vector<uint16_t>& sid) {
  const auto found = added_.find(sid);
  if (found != added_.end() && --found->second == 0) added_.erase(found);
}

uint16_t TakenSids::free_code(std::span<const uint16_t> prefix) const {
  std::vector<bool> used(codes_);
  if (const auto node = trained_.find(prefix)) {
    for (const uint16_t code : trained_.next_codes(int(prefix.size()), *node)) used[code] = true;
  }
  const auto begins = [&](const std::vector<uint16_t>& sid) {
    return std::equal(prefix.begin(), prefix.end(), sid.begin());
  };
  auto next = added_.lower_bound(std::vector<uint16_t>(prefix.begin(), prefix.end()));
  for (; next != added_.end() && begins(next->first); ++next) used[next->first.back()] = true;
  const auto free = std::find(used.begin(), used.end(), false);
  return free == used.end() ? 0 : uint16_t(free - used.begin());
}

std::vector<uint16_t> place(const SidModel& model, std::span<const float> vector,
                            const TakenSids& taken) {
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
      codes.push_back(taken.free_code(codes));
      break;
    }
    codes.push_back(nearest_code(residual, centroids));
    for (size_t d = 0; d < dim; ++d) residual[d] -= centroids[codes.back() * dim + d];
  }
  return codes;
}

}  // namespace podium::sid
