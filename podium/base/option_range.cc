#include "podium/base/option_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace podium {

bool OptionRange::holds(double value) const {
  if (!std::isfinite(value)) return false;
  const bool above = low_open ? value > low : value >= low;
  return above && (high_open ? value < high : value <= high);
}

bool OptionRange::holds(const std::string& value) const {
  return choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end();
}

std::string OptionRange::text() const {
  if (!choices.empty()) {
    const std::vector<std::string> first(choices.begin(), choices.end() - 1);
    return first.empty() ? choices.back()
                         : fmt::format("{} or {}", fmt::join(first, ", "), choices.back());
  }
  if (std::isfinite(high))
    return fmt::format("{:.12g} to {}{:.12g}", low, high_open ? "less than " : "", high);
  if (!std::isfinite(low)) return "";
  if (low_open && low == 0) return "a positive number";
  return low_open ? fmt::format("greater than {:.12g}", low) : fmt::format("at least {:.12g}", low);
}

OptionRange at_least(double low) {
  OptionRange range;
  range.low = low;
  return range;
}

OptionRange more_than(double low) {
  OptionRange range = at_least(low);
  range.low_open = true;
  return range;
}

OptionRange between(double low, double high) {
  OptionRange range = at_least(low);
  range.high = high;
  return range;
}

OptionRange below(double low, double high) {
  OptionRange range = between(low, high);
  range.high_open = true;
  return range;
}

OptionRange one_of(std::vector<std::string> choices) {
  OptionRange range;
  range.choices = std::move(choices);
  return range;
}

}  // namespace podium
