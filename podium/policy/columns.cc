#include "podium/policy/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace podium::policy {
namespace {

std::vector<std::string> texts_of(const FieldValue& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* text = std::get_if<std::string>(&value)) return {*text};
  if (const auto* flag = std::get_if<bool>(&value)) return {*flag ? "true" : "false"};
  return {fmt::format("{}", std::get<double>(value))};
}

}  // namespace

const Column& Columns::of(const std::string& field) {
  const auto [place, fresh] = columns_.try_emplace(field);
  Column& column = place->second;
  if (!fresh) return column;
  column.reserve(items_);
  for (size_t item = 0; item < items_; ++item) {
    column.push_back(fields_.field(item, field));
    if (!column.back()) continue;
    const auto* number = std::get_if<double>(&*column.back());
    if (number != nullptr && !std::isfinite(*number)) column.back().reset();
  }
  return column;
}

const NumberedColumn& Columns::numbered(const std::string& field) {
  const auto [place, fresh] = numbered_.try_emplace(field);
  NumberedColumn& column = place->second;
  if (!fresh) return column;
  std::unordered_map<std::string, uint32_t> known;
  column.values.resize(items_);
  const Column& raw = of(field);
  for (size_t item = 0; item < items_; ++item) {
    if (!raw[item]) continue;
    auto& own = column.values[item];
    for (std::string& text : texts_of(*raw[item])) {
      const auto [entry, added] = known.try_emplace(std::move(text), uint32_t(known.size()));
      if (added) column.names.push_back(entry->first);
      own.push_back(entry->second);
    }
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
  }
  return column;
}

std::optional<double> number_of(const std::optional<FieldValue>& value) {
  if (!value) return std::nullopt;
  const auto* number = std::get_if<double>(&*value);
  return number == nullptr ? std::nullopt : std::optional<double>(*number);
}

std::vector<std::optional<double>> scaled_known(const std::vector<std::optional<double>>& values) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& value : values) {
    if (!value) continue;
    low = std::min(low, *value);
    high = std::max(high, *value);
  }
  const double range = high - low;
  const bool differ = range > 0 && std::isfinite(range);
  std::vector<std::optional<double>> scaled(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) scaled[i] = differ ? (*values[i] - low) / range : 0;
  }
  return scaled;
}

double known_mean(const std::vector<std::optional<double>>& values) {
  double sum = 0, known = 0;
  for (const auto& value : values) {
    if (value) sum += *value, ++known;
  }
  return known > 0 ? sum / known : 0;
}

}  // namespace podium::policy
