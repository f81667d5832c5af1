// How often each item was shown of late, and how often its user took it then: what exploration
// learns from (policy/explore.h).
//
// Counted are the impressions among the newest changes of the log. So a start reads a bounded part
// of it, counts what was counted before, and what people liked long ago is forgotten. An event
// counts for the newest impression before it that showed this user its item, in the log and by its
// time, at most kTakenWithin later; once for each impression.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/by_string.h"
#include "podium/base/shared_mutex.h"
#include "podium/data/impressions.h"
#include "podium/store/change.h"

namespace podium::store {

using data::kTakenWithin;
inline constexpr size_t kPlacesCounted = 50;  // of an impression, from the first

// Thread-safe. Memory: about 200 bytes an impression and 16 a place of it, 100 an item.
class Shown {
 public:
  // newest: how many changes an impression may be old.
  explicit Shown(int64_t newest) : newest_(newest) {}

  // Offsets grow from call to call.
  void apply(Offset offset, const Change& change);
  // Impressions up to this one have left the log.
  void drop(Offset upto);
  // [ids]; empty: no impression is known, of any item.
  std::vector<serving::ShownCounts> of(std::span<const std::string_view> ids) const;

 private:
  using Item = ByString<serving::ShownCounts>::value_type;

  struct Place {
    Item* item;  // of counts_
    bool taken = false;
  };
  struct Seen {
    std::string user;
    int64_t time;
    std::vector<Place> places;  // of distinct items
  };

  void show(Offset offset, const Impression& shown) PODIUM_REQUIRES(mutex_);
  void take(const Event& event) PODIUM_REQUIRES(mutex_);
  void forget(std::string_view user) PODIUM_REQUIRES(mutex_);
  void drop_oldest(Offset upto) PODIUM_REQUIRES(mutex_);
  void uncount(const Seen& seen) PODIUM_REQUIRES(mutex_);

  const int64_t newest_;
  mutable SharedMutex mutex_;
  std::map<Offset, Seen> seen_ PODIUM_GUARDED_BY(mutex_);
  ByString<std::vector<Offset>> users_ PODIUM_GUARDED_BY(mutex_);  // of seen_, ascending
  ByString<serving::ShownCounts> counts_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::store
