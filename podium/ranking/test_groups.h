// Groups of candidates with a planted signal, for tests of the ranker.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/ranking/ranking_data.h"

namespace podium::ranking {

inline constexpr size_t kFeatures = 4, kGroup = 12;
inline const std::vector<std::string> kNames = {"signal", "noise", "other_noise", "sparse"};

// One positive a group, at the highest signal; the signal is missing in every fifth row, where a
// second, sparse feature names the positive.
inline RankingData planted(size_t groups, uint64_t seed) {
  Rng rng(seed);
  RankingData data;
  data.features = kFeatures;
  for (size_t g = 0; g < groups; ++g) {
    std::vector<float> rows;
    for (size_t i = 0; i < kGroup; ++i) {
      for (size_t f = 0; f < 3; ++f) rows.push_back(float(rng.normal()));
      rows.push_back(std::numeric_limits<float>::quiet_NaN());
    }
    size_t best = 0;
    for (size_t i = 1; i < kGroup; ++i) {
      if (rows[i * kFeatures] > rows[best * kFeatures]) best = i;
    }
    if (g % 5 == 0) {
      for (size_t i = 0; i < kGroup; ++i)
        rows[i * kFeatures] = std::numeric_limits<float>::quiet_NaN();
      rows[best * kFeatures + 3] = 1;
    }
    data.rows.insert(data.rows.end(), rows.begin(), rows.end());
    for (size_t i = 0; i < kGroup; ++i) data.labels.push_back(i == best ? 1.0F : 0.0F);
    data.groups.push_back(kGroup);
    data.users.push_back(uint32_t(g));
  }
  return data;
}

}  // namespace podium::ranking
