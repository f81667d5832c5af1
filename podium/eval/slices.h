// Cells and slices of targets. A cell is one combination of the groups a target is in; a slice is a
// set of cells, so that one weighted histogram a resample gives every slice and metric.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "podium/eval/results.h"

namespace podium::eval {

inline constexpr size_t kHistories = 4, kGroups = 3, kCells = 2 * 2 * kHistories * kGroups;

struct Cell {
  bool in_slate, same_day;
  size_t history, group;  // bucket of history length, ItemGroup

  size_t index() const;  // in [0, kCells)
  static Cell of(size_t index);
};
Cell cell_of(const TargetInfo& target, bool in_slate);

struct SliceMask {
  std::string name;
  std::array<bool, kCells> cells{};
};

// "all", "in-slate", and each part of the partitions by day, history length and item group.
std::vector<SliceMask> all_slices();

}  // namespace podium::eval
