#include "podium/funnel/evidence.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"

namespace podium::funnel {
namespace {

using rerank::EvidenceKind;

// The feature that measures a kind.
constexpr std::array<ranking::Column, EvidenceLevels::kMeasured> kMeasure = {
    ranking::kNearLast, ranking::kAffinitySum, ranking::kTextMean, ranking::kSequenceScore,
    ranking::kLogCount};

float finite(float value) { return std::isfinite(value) ? value : 0; }

uint8_t count_level(float count) { return uint8_t(std::clamp(count, 0.0F, 3.0F)); }

uint8_t price_level(float log_ratio) {
  const float distance = std::abs(log_ratio);
  if (!(distance < 1)) return 0;  // NaN too
  return distance < 0.2F ? 3 : distance < 0.5F ? 2 : 1;
}

}  // namespace

EvidenceLevels EvidenceLevels::fit(const ranking::Features& features,
                                   const std::vector<float>& rows) {
  EvidenceLevels levels;
  for (size_t kind = 0; kind < kMeasured; ++kind) {
    std::vector<float> values;
    for (size_t row = 0; row + features.count() <= rows.size(); row += features.count()) {
      const float value = finite(rows[row + features.column(kMeasure[kind])]);
      if (value > 0) values.push_back(value);
    }
    std::sort(values.begin(), values.end());
    for (size_t level = 0; level < 3; ++level) {
      // The lowest level begins at the smallest positive value where zero means "none", else at the
      // first quartile.
      const bool none = kind == rerank::kTogether || kind == rerank::kHistory;
      const double share = none ? double(level) / 3 : double(level + 1) / 4;
      levels.thresholds[kind][level] =
          values.empty() ? INFINITY : values[size_t(share * double(values.size()))];
    }
  }
  return levels;
}

rerank::Evidence EvidenceLevels::of(const ranking::Features& features, const float* row) const {
  rerank::Evidence evidence{};
  for (size_t kind = 0; kind < kMeasured; ++kind) {
    const float value = finite(row[features.column(kMeasure[kind])]);
    for (const float threshold : thresholds[kind]) {
      if (value > 0 && value >= threshold) ++evidence[kind];
    }
  }
  evidence[rerank::kCategory] = count_level(row[features.column(ranking::kCategoryCount)]);
  evidence[rerank::kBrand] = count_level(row[features.column(ranking::kBrandCount)]);
  evidence[rerank::kPrice] = price_level(row[features.column(ranking::kPriceRatio)]);
  return evidence;
}

Json EvidenceLevels::to_json() const {
  Json json = Json::object();
  for (size_t kind = 0; kind < kMeasured; ++kind) {
    Json row = Json::array();
    for (const float threshold : thresholds[kind]) {
      // JSON has no infinity: null says that the level is never reached.
      row.push_back(std::isfinite(threshold) ? Json(threshold) : Json(nullptr));
    }
    json[std::string(rerank::evidence_name(EvidenceKind(kind)))] = row;
  }
  return json;
}

EvidenceLevels EvidenceLevels::from_json(const Json& json) {
  EvidenceLevels levels;
  try {
    for (size_t kind = 0; kind < kMeasured; ++kind) {
      const Json& row = json.at(std::string(rerank::evidence_name(EvidenceKind(kind))));
      for (size_t level = 0; level < 3; ++level) {
        levels.thresholds[kind][level] =
            row.at(level).is_null() ? INFINITY : row.at(level).get<float>();
      }
    }
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::kCorrupt, std::string("malformed evidence levels: ") + e.what(),
                "train the upstream again");
  }
  return levels;
}

}  // namespace podium::funnel
