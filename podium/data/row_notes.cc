#include "podium/data/row_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/data/import_times.h"
#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr int64_t kYear1990 = 631'152'000, kYear2040 = 2'208'988'800;

bool like_a_time(std::string_view text) {
  TimeForm form = TimeForm::kNone;
  const auto time = parse_time(text, form);
  const bool marked = form == TimeForm::kIso || form == TimeForm::kWords;
  const bool number = form == TimeForm::kSeconds || form == TimeForm::kMillis;
  return time && (marked || (number && time->seconds >= kYear1990 && time->seconds < kYear2040));
}

bool has_role(const ColumnRoles& columns, size_t column) {
  for (size_t r = 1; r < kRoles; ++r) {
    const std::span<const size_t> of = columns.of(static_cast<Role>(r));
    if (std::find(of.begin(), of.end(), column) != of.end()) return true;
  }
  return false;
}

}  // namespace

void RowNotes::look(const ColumnRoles& columns, std::span<const Cell> cells) {
  ++looked_;
  if (looks_.size() < cells.size()) looks_.resize(cells.size(), Look::kNothing);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (looks_[i] == Look::kOther || no_value(cells[i]) || has_role(columns, i)) continue;
    looks_[i] = like_a_time(cells[i].text) ? Look::kTimes : Look::kOther;
  }
}

// Ids of two columns are two kinds of ids, and count as one.
std::string RowNotes::fallbacks(const ColumnRoles& columns, Role role, bool items) const {
  const std::span<const size_t> of = columns.of(role);
  std::string others;
  for (size_t i = 1; i < of.size(); ++i) {
    if (of[i] >= taken_.size() || taken_[of[i]] == 0) continue;
    others += fmt::format("{}{} rows from {}", others.empty() ? "" : ", ", taken_[of[i]],
                          columns.name(of[i]));
  }
  if (others.empty()) return "";
  return fmt::format(
      "no {0} in some rows, so the {1} was taken in {2}; equal ids of both columns count as one "
      "{1}; --{3} {1}={0} reads that column only",
      columns.name(of[0]), role_name(role), others, items ? "map-items" : "map");
}

std::string RowNotes::objects() const {
  std::string counts;
  for (size_t r = 1; r < kRoles; ++r) {
    if (objects_[r] == 0) continue;
    counts += fmt::format("{}{} of {}", counts.empty() ? "" : ", ", objects_[r],
                          role_name(static_cast<Role>(r)));
  }
  return counts.empty() ? "" : "values that are objects were left out: " + counts;
}

std::string RowNotes::times(const ColumnRoles& columns) const {
  for (size_t i = 0; i < looks_.size(); ++i) {
    const std::string& name = columns.name(i);
    if (looks_[i] != Look::kTimes || name.empty() || name == "-") continue;
    return fmt::format("column {0} looks like times: --map time={0}", name);
  }
  return "";
}

std::vector<std::string> RowNotes::finish(const ColumnRoles& columns, bool items) const {
  const bool untimed = !items && columns.has(Role::kUser) && !columns.has(Role::kTime);
  std::vector<std::string> notes;
  for (const std::string& note :
       {items ? "" : fallbacks(columns, Role::kUser, items), fallbacks(columns, Role::kItem, items),
        objects(), untimed ? times(columns) : ""}) {
    if (!note.empty()) notes.push_back(note);
  }
  return notes;
}

}  // namespace podium::data
