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

void MemoryState::add_event(std::string_view user, const LiveEvent& event) {
  const WriterLock lock(mutex_);
  std::vector<LiveEvent>& events = users_[std::string(user)].history.events;
  const auto later = [](const LiveEvent& a, const LiveEvent& b) { return a.time < b.time; };
  events.insert(std::upper_bound(events.begin(), events.end(), event, later), event);
  if (events.size() > kLiveEvents) events.erase(events.begin());
}

LiveHistory MemoryState::history_of(std::string_view user) const {
  const ReaderLock lock(mutex_);
  const auto found = users_.find(user);
  return found == users_.end() ? LiveHistory{} : found->second.history;
}

void MemoryState::erase_user(std::string_view user) {
  const WriterLock lock(mutex_);
  users_[std::string(user)] = {.history = {{}, true}};
}

void MemoryState::put_items(std::span<const LiveItem> items) {
  const WriterLock lock(mutex_);
  for (const LiveItem& item : items) items_[item.id] = item;
}

bool MemoryState::remove_item(std::string_view id) {
  const WriterLock lock(mutex_);
  const auto found = items_.find(id);
  if (found == items_.end()) return false;
  items_.erase(found);
  return true;
}

std::optional<LiveItem> MemoryState::item(std::string_view id) const {
  const ReaderLock lock(mutex_);
  const auto found = items_.find(id);
  return found == items_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryState::remove_events(std::string_view user, std::string_view item,
                                const std::optional<std::string>& type) {
  const WriterLock lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  std::erase_if(found->second.history.events, [&](const LiveEvent& event) {
    return event.item == item && (!type || event.type == *type);
  });
}

void MemoryState::put_user(std::string_view user, std::string told) {
  const WriterLock lock(mutex_);
  users_[std::string(user)].told = std::move(told);
}

LiveUser MemoryState::user(std::string_view id) const {
  const ReaderLock lock(mutex_);
  const auto found = users_.find(id);
  if (found == users_.end()) return {.id = std::string(id)};
  return {std::string(id), found->second.history, found->second.told};
}

std::vector<LiveUser> MemoryState::users_from(std::string_view id, size_t most) const {
  const ReaderLock lock(mutex_);
  std::vector<LiveUser> users;
  for (auto it = users_.lower_bound(id); it != users_.end() && users.size() < most; ++it) {
    users.push_back({it->first, it->second.history, it->second.told});
  }
  return users;
}

std::vector<LiveItem> MemoryState::items() const {
  const ReaderLock lock(mutex_);
  std::vector<LiveItem> items;
  for (const auto& [id, item] : items_) items.push_back(item);
  return items;
}

}  // namespace podium::serving
