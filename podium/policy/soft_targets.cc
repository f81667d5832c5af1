#include "podium/policy/soft_targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/policy/steer.h"

namespace podium::policy {
namespace {

constexpr double kRounding = 1e-9;

std::vector<double> wanted(const Exposure& rule) {
  std::vector<double> shares;
  for (const auto& [value, share] : rule.targets) shares.push_back(share);
  return shares;
}

}  // namespace

std::vector<double> SoftTargets::values(const Objective& rule,
                                        std::span<const int> candidates) const {
  const Column& column = columns_.of(rule.field);
  std::vector<std::optional<double>> known;
  for (const int item : candidates) known.push_back(number_of(column[size_t(item)]));
  const bool any = std::any_of(known.begin(), known.end(), [](const auto& v) { return bool(v); });
  if (!any) return {};
  const double mean = known_mean(known);
  std::vector<double> values(column.size(), mean);
  for (size_t i = 0; i < candidates.size(); ++i) {
    values[size_t(candidates[i])] = known[i].value_or(mean);
  }
  return values;
}

std::vector<std::vector<uint32_t>> SoftTargets::groups(const Exposure& rule) const {
  const NumberedColumn& column = columns_.numbered(rule.field);
  std::vector<std::optional<uint32_t>> target(column.names.size());
  for (size_t value = 0; value < column.names.size(); ++value) {
    for (size_t t = 0; t < rule.targets.size(); ++t) {
      if (rule.targets[t].first == column.names[value]) target[value] = uint32_t(t);
    }
  }
  std::vector<std::vector<uint32_t>> groups(column.values.size());
  for (size_t item = 0; item < groups.size(); ++item) {
    for (const uint32_t value : column.values[item]) {
      if (target[value]) groups[item].push_back(*target[value]);
    }
  }
  return groups;
}

void SoftTargets::meet(const Objective& rule, std::span<int> order,
                       std::span<const double> scores) const {
  const std::vector<double> known = values(rule, order);
  if (!known.empty()) meet_mean(order, scores, known, first(rule.first), rule.at_least);
}

void SoftTargets::meet(const Exposure& rule, std::span<int> order,
                       std::span<const double> scores) const {
  const auto groups_of = groups(rule);
  const auto shares = wanted(rule);
  meet_exposure(order, scores, {groups_of, shares, rule.tolerance}, first(rule.first));
}

void SoftTargets::tell_missed(std::span<const int> candidates, Outcome& outcome) const {
  std::vector<int> placed;
  for (const PlacedItem& item : outcome.placed) placed.push_back(int(item.index));
  if (placed.empty()) return;
  for (const Objective& rule : rules_.objectives) {
    const std::vector<double> known = values(rule, candidates);
    const size_t at = std::min(placed.size(), first(rule.first));
    double mean = 0;
    for (size_t i = 0; i < at && !known.empty(); ++i) {
      mean += known[size_t(placed[i])] / double(at);
    }
    if (known.empty()) {
      outcome.unmet.push_back({rule.name, fmt::format("no item has a number '{}'", rule.field)});
    } else if (mean < rule.at_least - kRounding) {
      outcome.unmet.push_back(
          {rule.name, fmt::format("the mean of '{}' over the first {} is {:.4g}, not {:.4g}",
                                  rule.field, at, mean, rule.at_least)});
    }
  }
  for (const Exposure& rule : rules_.exposures) {
    const auto groups_of = groups(rule);
    const auto shares = wanted(rule);
    const ExposureTarget target{groups_of, shares, rule.tolerance};
    const auto got = exposure_shares(placed, target, first(rule.first));
    if (exposure_missed(got, target) == 0) continue;
    std::string why = fmt::format("shares of the first {} places:", first(rule.first));
    for (size_t t = 0; t < got.size(); ++t) {
      why += fmt::format(" {} {:.2f} (wanted {:.2f})", rule.targets[t].first, got[t], shares[t]);
    }
    outcome.unmet.push_back({rule.name, why});
  }
}

}  // namespace podium::policy
