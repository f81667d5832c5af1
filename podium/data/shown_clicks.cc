#include "podium/data/shown_clicks.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "podium/data/impressions.h"

namespace podium::data {
namespace {

// An item shown to a user: in which row.
struct ShownItem {
  uint32_t user, item;
  int64_t time;
  size_t row;
};

// ShownItems by user, item, time and row.
class ShownItems {
 public:
  explicit ShownItems(std::vector<ShownItem> items) : items_(std::move(items)) {
    std::ranges::sort(items_, {},
                      [](const ShownItem& p) { return std::tuple(p.user, p.item, p.time, p.row); });
  }

  // Calls use(row) for the items that the event may have been taken from, the newest first, while
  // it returns true.
  template <class Use>
  void before(const EventRow& event, const Use& use) const {
    const auto key = [](const auto& at) { return std::tuple(at.user, at.item, at.time); };
    auto at = std::ranges::upper_bound(items_, key(event), {}, key);
    while (at != items_.begin()) {
      --at;
      if (at->user != event.user || at->item != event.item) return;
      if (event.time - at->time > kTakenWithin || !use(at->row)) return;
    }
  }

 private:
  std::vector<ShownItem> items_;
};

}  // namespace

void clicks_from_events(const std::vector<EventRow>& events, ShownRows& shown) {
  std::vector<ShownItem> open;
  for (const size_t s : shown.untold) {
    for (size_t i = shown.ptr[s]; i < shown.ptr[s + 1]; ++i) {
      open.push_back({shown.user[s], shown.item[i], shown.time[s], i});
    }
  }
  const ShownItems items(std::move(open));
  for (const EventRow& event : events) {
    items.before(event, [&](size_t row) {
      shown.clicked[row] = 1;
      return false;
    });
  }
}

std::vector<EventRow> clicks_without_event(const std::vector<EventRow>& events,
                                           const std::vector<EventRow>& clicks) {
  std::vector<ShownItem> open;
  for (size_t row = 0; row < clicks.size(); ++row) {
    open.push_back({clicks[row].user, clicks[row].item, clicks[row].time, row});
  }
  const ShownItems items(std::move(open));
  std::vector<uint8_t> told(clicks.size(), 0);
  for (const EventRow& event : events) {
    // Where one was told by an earlier event, all before it were.
    items.before(event, [&](size_t row) { return std::exchange(told[row], uint8_t{1}) == 0; });
  }
  std::vector<EventRow> left;
  for (size_t row = 0; row < clicks.size(); ++row) {
    if (told[row] == 0) left.push_back(clicks[row]);
  }
  return left;
}

}  // namespace podium::data
