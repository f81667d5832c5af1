// What a ranker learns from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace podium::ranking {

// Rows grouped by query, groups one after another.
struct RankingData {
  size_t features = 0;
  std::vector<float> rows;       // [candidates, features], NaN: absent
  std::vector<float> labels;     // [candidates]
  std::vector<uint32_t> groups;  // candidates a group
  std::vector<uint32_t> users;   // [groups], whose group it is; a user's groups stand together
  std::vector<float> weights;    // [groups], what each counts; empty: all 1

  float weight(size_t group) const { return weights.empty() ? 1.0F : weights[group]; }
};

}  // namespace podium::ranking
