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
};

}  // namespace podium::ranking
