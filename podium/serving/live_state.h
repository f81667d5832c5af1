// What happened after a bundle was trained: events and items by their string ids, so that any
// bundle can be put under them. What a bundle knows is added by the Recommender.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podium/base/shared_mutex.h"

namespace podium::serving {

struct LiveEvent {
  std::string item;
  int64_t time = 0;  // unix seconds
  // What the caller calls it ("click"), and a number of the caller's: kept and told, and read by no
  // model. Events of every type count alike.
  std::string type = {};
  double value = 0;

  bool operator==(const LiveEvent&) const = default;
};

// Of a field that only rules read, such as the stock: the catalogue's own have places of their own.
using FieldValue = std::variant<bool, double, std::string, std::vector<std::string>>;

// An item of the catalogue as it was told.
struct LiveItem {
  std::string id = {}, title = {}, brand = {}, description = {};
  std::vector<std::string> categories = {};               // general to special
  float price = std::numeric_limits<float>::quiet_NaN();  // unknown
  std::map<std::string, FieldValue, std::less<>> fields = {};
  // Kept and told, and read by no model.
  int64_t time = 0;         // when it came out, unix seconds; 0: untold
  std::string labels = {};  // JSON of the caller's; empty: none

  // As data::Dataset::item_text() joins it, for encoders.
  std::string text() const;
  bool operator==(const LiveItem& other) const;  // unknown prices are equal
};

struct LiveHistory {
  std::vector<LiveEvent> events;  // oldest first
  bool erased = false;            // what the bundle knows of the user counts no more
};

// A user of the live state.
struct LiveUser {
  std::string id;
  LiveHistory history = {};
  std::optional<std::string> told = {};  // JSON that a caller keeps of the user; nothing: none told
};

// Of an item, of late: in how many impressions, and in how many of them its user took it.
struct ShownCounts {
  int64_t shown = 0, taken = 0;
  bool operator==(const ShownCounts&) const = default;
};

// Thread-safe. What a call has written, every later call sees.
class LiveState {
 public:
  virtual ~LiveState() = default;

  virtual void add_event(std::string_view user, const LiveEvent& event) = 0;
  virtual LiveHistory history_of(std::string_view user) const = 0;
  // Forgets the user's events, and what the bundle knows of the user. Later events count again.
  virtual void erase_user(std::string_view user) = 0;
  // As history_of() tells it, for who asks about many.
  virtual bool erased(std::string_view user) const = 0;

  virtual void put_items(std::span<const LiveItem> items) = 0;  // replace those of the same id
  virtual bool remove_item(std::string_view id) = 0;            // false: it was not there
  virtual std::vector<LiveItem> items() const = 0;              // in order of id
  virtual std::optional<LiveItem> item(std::string_view id) const = 0;

  // [ids]; empty: it knows of no impressions.
  virtual std::vector<ShownCounts> shown(std::span<const std::string_view> /*ids*/) const {
    return {};
  }
};

// Of a user the newest kLiveEvents are kept.
inline constexpr size_t kLiveEvents = 1000;

// Into a user's events: after those of the same time. One too many takes the place of the oldest.
void add_in_order(std::vector<LiveEvent>& events, const LiveEvent& event);
// Those of the item, or only those of a type.
void remove_of(std::vector<LiveEvent>& events, std::string_view item,
               const std::optional<std::string>& type);

// As the items of a LiveState. Thread-safe.
class LiveItems {
 public:
  void put(std::span<const LiveItem> items);
  bool remove(std::string_view id);
  std::vector<LiveItem> all() const;
  std::optional<LiveItem> find(std::string_view id) const;

 private:
  mutable SharedMutex mutex_;
  std::map<std::string, LiveItem, std::less<>> items_ PODIUM_GUARDED_BY(mutex_);
};

// In memory, lost with the process.
class MemoryState : public LiveState {
 public:
  void add_event(std::string_view user, const LiveEvent& event) override;
  LiveHistory history_of(std::string_view user) const override;
  void erase_user(std::string_view user) override;
  bool erased(std::string_view user) const override { return history_of(user).erased; }
  void put_items(std::span<const LiveItem> items) override { items_.put(items); }
  bool remove_item(std::string_view id) override { return items_.remove(id); }
  std::vector<LiveItem> items() const override { return items_.all(); }
  std::optional<LiveItem> item(std::string_view id) const override { return items_.find(id); }

  // Forgets the user's events of this item: of one type, or of all.
  void remove_events(std::string_view user, std::string_view item,
                     const std::optional<std::string>& type);

 private:
  LiveItems items_;
  mutable SharedMutex mutex_;
  std::map<std::string, LiveHistory, std::less<>> users_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serving
