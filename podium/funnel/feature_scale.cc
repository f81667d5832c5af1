#include "podium/funnel/feature_scale.h"

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"

namespace podium::funnel {
namespace {

using Knots = std::array<float, FeatureScale::kKnots>;

// The place of a value among quantiles, 0 .. kKnots - 1.
float place(const Knots& knots, float value) {
  const auto [first, last] = std::equal_range(knots.begin(), knots.end(), value);
  if (first != last) return float(first - knots.begin() + last - knots.begin() - 1) / 2;
  if (first == knots.begin()) return 0;
  if (first == knots.end()) return float(FeatureScale::kKnots - 1);
  const float below = *(first - 1), above = *first;
  return float(first - knots.begin() - 1) + (value - below) / (above - below);
}

}  // namespace

FeatureScale FeatureScale::fit(std::span<const float> rows, size_t width) {
  FeatureScale scale;
  for (size_t feature = 0; feature < width; ++feature) {
    std::vector<float> values;
    bool absent = false;
    for (size_t at = feature; at < rows.size(); at += width) {
      if (std::isfinite(rows[at])) {
        values.push_back(rows[at]);
      } else {
        absent = true;
      }
    }
    std::sort(values.begin(), values.end());
    Knots& knots = scale.knots_.emplace_back();  // zeros for what is always absent
    for (size_t k = 0; k < kKnots && !values.empty(); ++k) {
      knots[k] = values[k * (values.size() - 1) / (kKnots - 1)];
    }
    if (absent) scale.optional_.push_back(uint32_t(feature));
  }
  return scale;
}

std::vector<float> FeatureScale::of(std::span<const float> row) const {
  PODIUM_CHECK(row.size() == width());
  std::vector<float> numbers;
  numbers.reserve(this->numbers());
  for (size_t feature = 0; feature < row.size(); ++feature) {
    const float value = row[feature];
    numbers.push_back(
        std::isfinite(value) ? 2 * place(knots_[feature], value) / float(kKnots - 1) - 1 : 0.0F);
  }
  for (const uint32_t feature : optional_) {
    numbers.push_back(std::isfinite(row[feature]) ? 0.0F : 1.0F);
  }
  return numbers;
}

Json FeatureScale::to_json() const { return {{"knots", knots_}, {"optional", optional_}}; }

FeatureScale FeatureScale::from_json(const Json& json) {
  FeatureScale scale;
  try {
    scale.knots_ = json.at("knots").get<std::vector<Knots>>();
    scale.optional_ = json.at("optional").get<std::vector<uint32_t>>();
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::kCorrupt, std::string("malformed feature scale: ") + e.what(),
                "train the upstream again");
  }
  const bool sound =
      std::ranges::all_of(scale.knots_,
                          [](const Knots& knots) {
                            return std::ranges::all_of(knots,
                                                       [](float k) { return std::isfinite(k); }) &&
                                   std::ranges::is_sorted(knots);
                          }) &&
      std::ranges::is_sorted(scale.optional_) &&
      (scale.optional_.empty() || scale.optional_.back() < scale.knots_.size());
  if (!sound) {
    throw Error(ErrorKind::kCorrupt, "malformed feature scale: quantiles that do not rise",
                "train the upstream again");
  }
  return scale;
}

}  // namespace podium::funnel
