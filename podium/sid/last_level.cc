#include "podium/sid/last_level.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"

namespace podium::sid {
namespace {

constexpr int kSinkhornRounds = 50;
constexpr double kSharpness = 20;  // the plan's weights: exp(-kSharpness distance / mean distance)

using Prefix = std::vector<uint16_t>;

// Moves the surplus of every (L-1)-prefix that holds more items than there are last codes to its
// sibling with the most room, so that the last level can tell all items apart. Items without text
// share one vector and would pile up otherwise. A whole (L-2)-prefix that is full stays so.
void spread_overflow(SidTable& table) {
  const auto levels = static_cast<size_t>(table.levels);
  const auto codes = static_cast<size_t>(table.codes_per_level);
  std::map<Prefix, std::vector<std::vector<uint32_t>>> below;
  for (uint32_t i = 0; i < table.items(); ++i) {
    const auto sid = table.of(i);
    auto& children = below[{sid.begin(), sid.end() - 2}];
    children.resize(codes);
    children[sid[levels - 2]].push_back(i);
  }
  for (auto& [prefix, children] : below) {
    for (auto& full : children) {
      while (full.size() > codes) {
        const auto room =
            std::min_element(children.begin(), children.end(),
                             [](const auto& a, const auto& b) { return a.size() < b.size(); });
        if (room->size() >= codes) break;
        table.codes[full.back() * levels + levels - 2] = uint16_t(room - children.begin());
        room->push_back(full.back());
        full.pop_back();
      }
    }
  }
}

std::map<Prefix, std::vector<uint32_t>> items_by_prefix(const SidTable& table) {
  std::map<Prefix, std::vector<uint32_t>> below;
  for (uint32_t i = 0; i < table.items(); ++i) {
    const auto sid = table.of(i);
    below[{sid.begin(), sid.end() - 1}].push_back(i);
  }
  return below;
}

// Rows sum to 1, columns to n / codes, as nearly as kSinkhornRounds make them.
std::vector<double> sinkhorn_plan(std::span<const float> distances, size_t codes) {
  const size_t n = distances.size() / codes;
  const double mean =
      std::accumulate(distances.begin(), distances.end(), 0.0) / double(distances.size());
  std::vector<double> plan(distances.size());
  for (size_t i = 0; i < n; ++i) {
    const float least = *std::min_element(&distances[i * codes], &distances[i * codes] + codes);
    for (size_t c = 0; c < codes; ++c) {
      const double further = double(distances[i * codes + c]) - least;
      plan[i * codes + c] = std::exp(-kSharpness * further / std::max(mean, 1e-30));
    }
  }
  for (int round = 0; round < kSinkhornRounds; ++round) {
    for (size_t c = 0; c < codes; ++c) {
      double sum = 1e-300;
      for (size_t i = 0; i < n; ++i) sum += plan[i * codes + c];
      for (size_t i = 0; i < n; ++i) plan[i * codes + c] *= double(n) / double(codes) / sum;
    }
    for (size_t i = 0; i < n; ++i) {
      double sum = 1e-300;
      for (size_t c = 0; c < codes; ++c) sum += plan[i * codes + c];
      for (size_t c = 0; c < codes; ++c) plan[i * codes + c] /= sum;
    }
  }
  return plan;
}

}  // namespace

std::vector<uint16_t> assign_evenly(std::span<const float> distances, size_t codes) {
  PODIUM_CHECK(codes > 0 && codes <= 65536 && distances.size() % codes == 0);
  const size_t n = distances.size() / codes, most = (n + codes - 1) / codes;
  const std::vector<double> plan = sinkhorn_plan(distances, codes);
  std::vector<size_t> order(plan.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return plan[a] > plan[b]; });
  std::vector<uint16_t> given(n);
  std::vector<bool> done(n);
  std::vector<size_t> times(codes);
  for (const size_t at : order) {
    const size_t row = at / codes, code = at % codes;
    if (done[row] || times[code] == most) continue;
    given[row] = uint16_t(code);
    done[row] = true;
    ++times[code];
  }
  return given;
}

void draw_last_level(SidTable& table, uint64_t seed) {
  spread_overflow(table);
  const auto levels = static_cast<size_t>(table.levels);
  Rng rng = Rng(seed).fork("last-level");
  std::vector<uint16_t> codes(static_cast<size_t>(table.codes_per_level));
  for (const auto& [prefix, items] : items_by_prefix(table)) {
    for (size_t n = 0; n < items.size(); ++n) {
      if (n % codes.size() == 0) {
        std::iota(codes.begin(), codes.end(), uint16_t{0});
        rng.shuffle(std::span<uint16_t>(codes));
      }
      table.codes[items[n] * levels + levels - 1] = codes[n % codes.size()];
    }
  }
}

void spread_last_level(SidTable& table, std::span<const float> residuals,
                       std::span<const float> centroids) {
  spread_overflow(table);
  const auto levels = static_cast<size_t>(table.levels);
  const auto codes = static_cast<size_t>(table.codes_per_level);
  const size_t dim = centroids.size() / codes;
  for (const auto& [prefix, items] : items_by_prefix(table)) {
    if (items.size() == 1) continue;  // its nearest code is free
    std::vector<float> distances;
    for (const uint32_t item : items) {
      for (size_t c = 0; c < codes; ++c) {
        distances.push_back(
            kernels::squared_distance(&residuals[item * dim], &centroids[c * dim], dim));
      }
    }
    const std::vector<uint16_t> given = assign_evenly(distances, codes);
    for (size_t i = 0; i < items.size(); ++i) {
      table.codes[items[i] * levels + levels - 1] = given[i];
    }
  }
}

}  // namespace podium::sid
