// What the rows of a file tell beside their values, for its notes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "podium/data/columns.h"
#include "podium/data/table_rows.h"

namespace podium::data {

// Not thread-safe.
class RowNotes {
 public:
  // The first rows are looked at: does a column without a role hold times?
  bool looking() const { return looked_ < kLooked; }
  void look(const ColumnRoles& columns, std::span<const Cell> cells);

  // A row took its user or its item from this column.
  void took(size_t column) {
    if (column >= taken_.size()) taken_.resize(column + 1);
    ++taken_[column];
  }
  // A row's value of this role was an object, and was left out.
  void left_out(Role role) { ++objects_[size_t(role)]; }

  // After the last row. items: of a file given with --items.
  std::vector<std::string> finish(const ColumnRoles& columns, bool items) const;

 private:
  static constexpr uint32_t kLooked = 20;
  enum class Look : uint8_t { kNothing, kTimes, kOther };

  std::string fallbacks(const ColumnRoles& columns, Role role, bool items) const;
  std::string objects() const;
  std::string times(const ColumnRoles& columns) const;

  uint32_t looked_ = 0;
  std::vector<Look> looks_;      // by column
  std::vector<uint64_t> taken_;  // by column
  std::array<uint64_t, kRoles> objects_{};
};

}  // namespace podium::data
