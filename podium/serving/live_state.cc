#include "podium/serving/live_state.h"

#include <algorithm>
#include <cmath>

namespace podium::serving {

std::string LiveItem::text() const {
  std::string text = title;
  const auto add = [&](const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += ' ';
    text += part;
  };
  add(brand);
  for (const std::string& category : categories) add(category);
  add(description);
  return text;
}

bool LiveItem::operator==(const LiveItem& other) const {
  const bool same_price = price == other.price || (std::isnan(price) && std::isnan(other.price));
  return same_price && id == other.id && title == other.title && brand == other.brand &&
         description == other.description && categories == other.categories &&
         fields == other.fields && time == other.time && labels == other.labels;
}

void add_in_order(std::vector<LiveEvent>& events, const LiveEvent& event) {
  const auto later = [](const LiveEvent& a, const LiveEvent& b) { return a.time < b.time; };
  events.insert(std::upper_bound(events.begin(), events.end(), event, later), event);
  if (events.size() > kLiveEvents) events.erase(events.begin());
}

void remove_of(std::vector<LiveEvent>& events, std::string_view item,
               const std::optional<std::string>& type) {
  std::erase_if(events, [&](const LiveEvent& event) {
    return event.item == item && (!type || event.type == *type);
  });
}

void LiveItems::put(std::span<const LiveItem> items) {
  const WriterLock lock(mutex_);
  for (const LiveItem& item : items) items_[item.id] = item;
}

bool LiveItems::remove(std::string_view id) {
  const WriterLock lock(mutex_);
  const auto found = items_.find(id);
  if (found == items_.end()) return false;
  items_.erase(found);
  return true;
}

std::vector<LiveItem> LiveItems::all() const {
  const ReaderLock lock(mutex_);
  std::vector<LiveItem> items;
  for (const auto& [id, item] : items_) items.push_back(item);
  return items;
}

std::optional<LiveItem> LiveItems::find(std::string_view id) const {
  const ReaderLock lock(mutex_);
  const auto found = items_.find(id);
  return found == items_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryState::add_event(std::string_view user, const LiveEvent& event) {
  const WriterLock lock(mutex_);
  add_in_order(users_[std::string(user)].events, event);
}

LiveHistory MemoryState::history_of(std::string_view user) const {
  const ReaderLock lock(mutex_);
  const auto found = users_.find(user);
  return found == users_.end() ? LiveHistory{} : found->second;
}

void MemoryState::erase_user(std::string_view user) {
  const WriterLock lock(mutex_);
  users_[std::string(user)] = {{}, true};
}

void MemoryState::remove_events(std::string_view user, std::string_view item,
                                const std::optional<std::string>& type) {
  const WriterLock lock(mutex_);
  const auto found = users_.find(user);
  if (found != users_.end()) remove_of(found->second.events, item, type);
}

}  // namespace podium::serving
