// DatasetBuilder: collects rows and writes a Dataset directory.
//
// Rules, each counted in what write() returns:
//   several catalogue rows of one item   merge field by field: a row sets the fields that it has,
//                                        and leaves the others; the later of two values wins
//   one user, item and time (with nanos) kept once, the first
//   one user and item at another time    kept: a repeat
//   a click of a slate                   an event, unless one is its (shown_clicks.h)
//
// Users and items get their indices in the order of their ids' hashes: numbering in order of
// appearance would leak the next item.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/catalog_item.h"

namespace podium::data {

struct EventRow;

// Not thread-safe. Memory: 24 bytes an event or a click, 5 an impression and 4 with a propensity,
// and the ids and text once; at the end 24 an impression of slates that do not tell their clicks.
// All work is linear in the rows, but for sorts by user and time.
class DatasetBuilder {
 public:
  using Item = CatalogItem;
  struct Event {
    std::string_view user, item;
    int64_t time;  // unix seconds
    float rating;
    uint32_t nanos = 0;  // what a finer clock adds: orders the events of one second, is not kept
  };
  // What a user was shown at one moment, in the order shown. Written to DIR/impressions
  // (impressions.h); a clicked item is an event only if add_event() or add_click() says so.
  struct Shown {
    std::string_view user;
    int64_t time;
    std::span<const std::string_view> items;  // at least one
    // [items] 0 or 1; empty: not told, and what the user's events took of it (shown_clicks.h).
    std::span<const uint8_t> clicked;
    std::span<const float> propensities = {};  // [items] in (0, 1]; empty: not told
  };
  DatasetBuilder();
  ~DatasetBuilder();

  void add_item(const Item& item);
  // A price that was known only after the item's row. No row of its own.
  void set_price(std::string_view item, float price);
  void add_event(const Event& event);
  // A click of a slate at the slate's time.
  void add_click(std::string_view user, std::string_view item, int64_t time);
  void add_shown(const Shown& shown);
  // Events added so far, from the `first` on, until the next is added: their times may be changed.
  std::span<EventRow> events_from(size_t first);

  // k_core: drops users and items with fewer than k events until none is left to drop (0: keep
  // all). Replaces `dir` atomically. Returns the dataset's manifest content:
  //   name, users, items, events, k_core, source
  //   duplicates_dropped, repeated_events      events whose user already has the item
  //   catalogue_rows, catalogue_items          rows given, items that they describe
  //   catalogue_merged, catalogue_conflicts    rows of an item that had one; those of them that
  //                                            changed a field from one value to another
  //   catalogue_items_bought                   described items that occur in the events
  //   items_bought, items_bought_with_text     of the dataset as written
  //   item_ids_unified, user_ids_unified       ids 10.0 that became 10 (whole_number_ids.h)
  //   slates, impressions, clicks              when there are any
  //   clicks_with_event                        of add_click(), those that an event already was
  // Throws Error when no event is left.
  Json write(const fs::path& dir, const std::string& name, int k_core, const Json& source);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace podium::data
