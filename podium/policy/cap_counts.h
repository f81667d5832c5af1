// How far the caps of a slate are used up.
#pragma once

#include <span>
#include <vector>

#include "podium/policy/columns.h"
#include "podium/policy/rule_set.h"

namespace podium::policy {

// Items go by their index, places from 1. An item without the field counts for no value. Caps and
// columns must outlive it.
class CapCounts {
 public:
  CapCounts(std::span<const Cap> caps, Columns& columns);

  // The first cap that this item would break at this place; null: none.
  const Cap* broken(int item, int place) const;
  void add(int item, int place) { change(item, place, 1); }
  void remove(int item, int place) { change(item, place, -1); }

 private:
  struct Counted {
    const Cap* cap;
    const NumberedColumn* column;
    std::vector<int> counts;  // of each value
  };
  void change(int item, int place, int by);

  std::vector<Counted> caps_;
};

}  // namespace podium::policy
