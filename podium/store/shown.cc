#include "podium/store/shown.h"

#include <algorithm>

namespace podium::store {

void Shown::apply(Offset offset, const Change& change) {
  const WriterLock lock(mutex_);
  drop_oldest(offset - newest_);
  if (const auto* shown = std::get_if<Impression>(&change)) {
    show(offset, *shown);
  } else if (const auto* event = std::get_if<Event>(&change)) {
    take(*event);
  } else if (const auto* erase = std::get_if<EraseUser>(&change)) {
    forget(erase->user);
  }
}

void Shown::show(Offset offset, const Impression& shown) {
  Seen seen{shown.user, shown.time, {}};
  for (size_t i = 0; i < std::min(shown.items.size(), kPlacesCounted); ++i) {
    const auto item = counts_.try_emplace(shown.items[i]).first;
    const auto same = [&](const Place& place) { return place.item == &*item; };
    if (std::any_of(seen.places.begin(), seen.places.end(), same)) continue;
    ++item->second.shown;
    seen.places.push_back({&*item});
  }
  users_[shown.user].push_back(offset);
  seen_.emplace(offset, std::move(seen));
}

void Shown::take(const Event& event) {
  const auto user = users_.find(event.user);
  if (user == users_.end()) return;
  const std::vector<Offset>& offsets = user->second;
  for (auto offset = offsets.rbegin(); offset != offsets.rend(); ++offset) {
    Seen& seen = seen_.at(*offset);
    const int64_t after = event.event.time - seen.time;
    if (after < 0 || after > kTakenWithin) continue;
    for (Place& place : seen.places) {
      if (place.item->first != event.event.item) continue;
      // A second event for what was shown once is no second success, of no older impression either.
      if (!place.taken) ++place.item->second.taken;
      place.taken = true;
      return;
    }
  }
}

void Shown::forget(std::string_view user) {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  for (const Offset offset : found->second) {
    const auto seen = seen_.find(offset);
    uncount(seen->second);
    seen_.erase(seen);
  }
  users_.erase(found);
}

void Shown::drop(Offset upto) {
  const WriterLock lock(mutex_);
  drop_oldest(upto);
}

void Shown::drop_oldest(Offset upto) {
  while (!seen_.empty() && seen_.begin()->first <= upto) {
    const auto oldest = seen_.begin();
    uncount(oldest->second);
    const auto user = users_.find(oldest->second.user);
    user->second.erase(user->second.begin());  // it is the oldest of its user, too
    if (user->second.empty()) users_.erase(user);
    seen_.erase(oldest);
  }
}

void Shown::uncount(const Seen& seen) {
  for (const Place& place : seen.places) {
    serving::ShownCounts& counts = place.item->second;
    if (place.taken) --counts.taken;
    if (--counts.shown == 0) counts_.erase(counts_.find(place.item->first));
  }
}

std::vector<serving::ShownCounts> Shown::of(std::span<const std::string_view> ids) const {
  const ReaderLock lock(mutex_);
  std::vector<serving::ShownCounts> counts;
  if (seen_.empty()) return counts;
  for (const std::string_view id : ids) {
    const auto found = counts_.find(id);
    counts.push_back(found == counts_.end() ? serving::ShownCounts{} : found->second);
  }
  return counts;
}

}  // namespace podium::store
