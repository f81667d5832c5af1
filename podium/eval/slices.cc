#include "podium/eval/slices.h"

#include <utility>

namespace podium::eval {
namespace {

constexpr std::array<const char*, kHistories> kHistoryNames = {"history 1-4", "history 5-9",
                                                               "history 10-49", "history 50+"};
constexpr std::array<const char*, kGroups> kGroupNames = {"head", "tail", "cold"};

size_t history_bucket(uint32_t history) {
  return history < 5 ? 0 : history < 10 ? 1 : history < 50 ? 2 : 3;
}

template <class Predicate>
SliceMask slice(std::string name, const Predicate& holds) {
  SliceMask mask{std::move(name), {}};
  for (size_t c = 0; c < kCells; ++c) mask.cells[c] = holds(Cell::of(c));
  return mask;
}

}  // namespace

size_t Cell::index() const {
  return ((size_t(in_slate) * 2 + size_t(same_day)) * kHistories + history) * kGroups + group;
}

Cell Cell::of(size_t index) {
  return {.in_slate = index / (2 * kHistories * kGroups) == 1,
          .same_day = index / (kHistories * kGroups) % 2 == 1,
          .history = index / kGroups % kHistories,
          .group = index % kGroups};
}

Cell cell_of(const TargetInfo& target, bool in_slate) {
  return {in_slate, target.same_day, history_bucket(target.history), size_t(target.group)};
}

std::vector<SliceMask> all_slices() {
  std::vector<SliceMask> masks;
  masks.push_back(slice("all", [](const Cell&) { return true; }));
  masks.push_back(slice("in-slate", [](const Cell& c) { return c.in_slate; }));
  masks.push_back(slice("same-day", [](const Cell& c) { return c.same_day; }));
  masks.push_back(slice("other-day", [](const Cell& c) { return !c.same_day; }));
  for (size_t h = 0; h < kHistories; ++h) {
    masks.push_back(slice(kHistoryNames[h], [h](const Cell& c) { return c.history == h; }));
  }
  for (size_t g = 0; g < kGroups; ++g) {
    masks.push_back(slice(kGroupNames[g], [g](const Cell& c) { return c.group == g; }));
  }
  return masks;
}

}  // namespace podium::eval
