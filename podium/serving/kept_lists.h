// What the sources listed for histories of late: who asks again before anything has happened, for
// the order of other items, is not searched for again.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/funnel/source_lists.h"
#include "podium/serving/added_items.h"

namespace podium::serving {

// Thread-safe. Those that were asked for longest ago give way.
class KeptLists {
 public:
  using Lists = std::shared_ptr<const funnel::SourceLists>;
  using History = std::vector<data::ItemIndex>;  // oldest first

  // most_bytes: 0: of nothing, as where lists change with the time.
  explicit KeptLists(size_t most_bytes) : most_(most_bytes) {}

  // Of these added items from now on: what is kept of others is forgotten.
  void begin(AddedItems::Shared added);
  // Those that are kept, or else what `search` lists, which is kept from now on.
  template <class Search>
  Lists of(const AddedItems::Shared& added, const History& history, const Search& search) {
    if (auto kept = find(added, history)) return kept;
    auto lists = std::make_shared<const funnel::SourceLists>(search());
    keep(added, history, lists);
    return lists;
  }
  // Null: not kept, or of other added items.
  Lists find(const AddedItems::Shared& added, const History& history);
  void keep(const AddedItems::Shared& added, const History& history, Lists lists);
  size_t bytes() const;

 private:
  struct Entry {
    History history;
    Lists lists;
    size_t bytes() const;
  };
  using Entries = std::list<Entry>;
  static uint64_t hash(const History& history);
  void drop(Entries::iterator entry) PODIUM_REQUIRES(mutex_);

  const size_t most_;
  mutable Mutex mutex_;
  AddedItems::Shared added_ PODIUM_GUARDED_BY(mutex_);
  Entries entries_ PODIUM_GUARDED_BY(mutex_);  // the one asked for last comes first
  std::unordered_map<uint64_t, Entries::iterator> by_hash_ PODIUM_GUARDED_BY(mutex_);
  size_t bytes_ PODIUM_GUARDED_BY(mutex_) = 0;
};

}  // namespace podium::serving
