#include "podium/policy/cap_counts.h"

#include <algorithm>

namespace podium::policy {

CapCounts::CapCounts(std::span<const Cap> caps, Columns& columns) {
  for (const Cap& cap : caps) {
    const NumberedColumn& column = columns.numbered(cap.field);
    caps_.push_back({&cap, &column, std::vector<int>(column.names.size(), 0)});
  }
}

const Cap* CapCounts::broken(int item, int place) const {
  for (const auto& [cap, column, counts] : caps_) {
    if (place > cap->first) continue;
    for (const uint32_t value : column->values[size_t(item)]) {
      if (counts[value] >= cap->at_most) return cap;
    }
  }
  return nullptr;
}

void CapCounts::change(int item, int place, int by) {
  for (auto& [cap, column, counts] : caps_) {
    if (place > cap->first) continue;
    for (const uint32_t value : column->values[size_t(item)]) counts[value] += by;
  }
}

}  // namespace podium::policy
