#include "podium/serving/kept_lists.h"

#include "podium/base/rng.h"

namespace podium::serving {
namespace {

constexpr size_t kNodes = 128;  // bytes of an entry in the list and in the map, about

}  // namespace

size_t KeptLists::Entry::bytes() const {
  return kNodes + sizeof(Entry) + history.capacity() * sizeof(history[0]) + lists->bytes();
}

uint64_t KeptLists::hash(const History& history) {
  return stable_hash({reinterpret_cast<const char*>(history.data()),  // NOLINT
                      history.size() * sizeof(history[0])});
}

void KeptLists::begin(AddedItems::Shared added) {
  const MutexLock lock(mutex_);
  added_ = std::move(added);
  entries_.clear();
  by_hash_.clear();
  bytes_ = 0;
}

KeptLists::Lists KeptLists::find(const AddedItems::Shared& added, const History& history) {
  const MutexLock lock(mutex_);
  if (added != added_) return nullptr;
  const auto found = by_hash_.find(hash(history));
  if (found == by_hash_.end() || found->second->history != history) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->lists;
}

void KeptLists::keep(const AddedItems::Shared& added, const History& history, Lists lists) {
  const MutexLock lock(mutex_);
  if (added != added_ || most_ == 0) return;
  const uint64_t key = hash(history);
  if (const auto before = by_hash_.find(key); before != by_hash_.end()) drop(before->second);
  entries_.push_front({history, std::move(lists)});
  by_hash_.emplace(key, entries_.begin());
  bytes_ += entries_.front().bytes();
  while (bytes_ > most_) drop(std::prev(entries_.end()));
}

void KeptLists::drop(Entries::iterator entry) {
  bytes_ -= entry->bytes();
  by_hash_.erase(hash(entry->history));
  entries_.erase(entry);
}

size_t KeptLists::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace podium::serving
