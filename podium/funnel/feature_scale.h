// The ranker's features and its score as a network reads them: each number by its place among those
// of the training candidates, so that counts, cosines and prices come in one unit.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "podium/base/json.h"

namespace podium::funnel {

class FeatureScale {
 public:
  static constexpr size_t kKnots = 33;  // quantiles 0, 1/32, ..., 1

  FeatureScale() = default;
  // Rows [rows, width] of the training candidates; NaN: absent.
  static FeatureScale fit(std::span<const float> rows, size_t width);
  static FeatureScale from_json(const Json& json);  // throws Error when it is malformed
  Json to_json() const;

  size_t width() const { return knots_.size(); }
  // Numbers that a row gives: one a feature, and one more a feature that may be absent.
  size_t numbers() const { return knots_.size() + optional_.size(); }
  // row [width()] -> [numbers()]: from -1 at the least that training knew to 1 at the most, values
  // between two quantiles in proportion, those of a whole run of equal quantiles in its middle; 0
  // when absent. Then 1 for each optional feature that is absent, else 0.
  std::vector<float> of(std::span<const float> row) const;

 private:
  std::vector<std::array<float, kKnots>> knots_;  // [width], ascending
  std::vector<uint32_t> optional_;                // features, ascending
};

}  // namespace podium::funnel
