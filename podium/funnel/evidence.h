// Collaborative evidence of a candidate at levels 0..3, from the ranker's own features.
#pragma once

#include <array>
#include <vector>

#include "podium/base/json.h"
#include "podium/ranking/features.h"
#include "podium/rerank/slate.h"

namespace podium::funnel {

// The measured kinds (together, history, similar, sequence, popular) get their level from three
// thresholds: a value >= thresholds[kind][l] has at least level l + 1. The others (category, brand,
// price) are levels by themselves.
struct EvidenceLevels {
  static constexpr int kMeasured = 5;
  std::array<std::array<float, 3>, kMeasured> thresholds{};

  // From feature rows of slates-phase candidates [rows, features]. Only values above 0 count. They
  // are cut at their quartiles; those of kTogether and kHistory, where 0 means "none", at their
  // thirds, so that the lowest level begins at the smallest.
  static EvidenceLevels fit(const ranking::Features& features, const std::vector<float>& rows);
  static EvidenceLevels from_json(const Json& json);
  Json to_json() const;

  rerank::Evidence of(const ranking::Features& features, const float* row) const;
};

}  // namespace podium::funnel
