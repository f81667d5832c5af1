#include "podium/store/hot_users.h"

#include <algorithm>

namespace podium::store {
namespace {

constexpr size_t kOfEntry = 250;  // bytes of a user without events

// Beyond what a string holds in itself.
size_t bytes_of(const std::string& text) { return text.size() < 16 ? 0 : text.capacity() + 16; }

}  // namespace

void UserState::apply(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) {
    serving::add_in_order(events, event->event);
  } else if (const auto* gone = std::get_if<RemoveEvents>(&change)) {
    serving::remove_of(events, gone->item, gone->type);
  } else if (const auto* user = std::get_if<PutUser>(&change)) {
    told = user->told;
  } else if (std::holds_alternative<EraseUser>(change)) {
    *this = {};
  }
}

size_t UserState::bytes() const {
  size_t sum = events.capacity() * sizeof(serving::LiveEvent) + (told ? bytes_of(*told) : 0);
  for (const serving::LiveEvent& event : events) sum += bytes_of(event.item) + bytes_of(event.type);
  return sum;
}

std::string_view user_of(const Change& change) {
  if (const auto* event = std::get_if<Event>(&change)) return event->user;
  if (const auto* erase = std::get_if<EraseUser>(&change)) return erase->user;
  if (const auto* gone = std::get_if<RemoveEvents>(&change)) return gone->user;
  if (const auto* user = std::get_if<PutUser>(&change)) return user->user;
  return {};
}

UserState HotUsers::get(std::string_view user) {
  uint64_t before = 0;
  {
    const ReaderLock lock(mutex_);
    const auto found = users_.find(user);
    if (found != users_.end()) {
      found->second.asked.store(true, std::memory_order_relaxed);
      return found->second.state;
    }
    before = changes_;
  }
  ReadUser read = read_(user);
  const WriterLock lock(mutex_);
  // A change that came meanwhile may be missing in what was read: the next one who asks reads anew.
  if (before == changes_ && !users_.contains(user)) keep(user, read);
  return std::move(read.state);
}

void HotUsers::keep(std::string_view user, const ReadUser& read) {
  const auto [at, fresh] = users_.try_emplace(std::string(user));
  Entry& entry = at->second;
  entry.state = read.state;
  entry.upto = read.upto;
  entry.bytes = kOfEntry + 2 * bytes_of(at->first) + entry.state.bytes();
  entry.place = order_.insert(order_.end(), at->first);
  bytes_ += entry.bytes;
  make_room();
}

// Who was not asked about since the last look goes; the one who came last stays.
void HotUsers::make_room() {
  while (bytes_ > most_ && order_.size() > 1) {
    const auto at = users_.find(order_.front());
    if (at->second.asked.exchange(false, std::memory_order_relaxed)) {
      order_.splice(std::prev(order_.end()), order_, order_.begin());
      continue;
    }
    bytes_ -= at->second.bytes;
    order_.pop_front();
    users_.erase(at);
  }
}

void HotUsers::apply(Offset offset, const Change& change) {
  const std::string_view user = user_of(change);
  if (user.empty()) return;
  const WriterLock lock(mutex_);
  ++changes_;
  const auto found = users_.find(user);
  if (found == users_.end() || offset <= found->second.upto) return;
  Entry& entry = found->second;
  const size_t before = entry.state.bytes();
  entry.state.apply(change);
  const size_t after = entry.state.bytes();
  entry.bytes = entry.bytes - before + after;
  bytes_ = bytes_ - before + after;
  make_room();
}

void HotUsers::drop(const std::vector<std::string>& users) {
  const WriterLock lock(mutex_);
  ++changes_;
  for (const std::string& user : users) {
    const auto found = users_.find(user);
    if (found == users_.end()) continue;
    bytes_ -= found->second.bytes;
    order_.erase(found->second.place);
    users_.erase(found);
  }
}

size_t HotUsers::size() const {
  const ReaderLock lock(mutex_);
  return users_.size();
}

}  // namespace podium::store
