// The files of a Dataset directory, written from numbered rows.
#pragma once

#include <cstdint>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/data/catalog_item.h"
#include "podium/data/interner.h"

namespace podium::data {

inline constexpr uint32_t kDropped = ~uint32_t{0};

struct EventRow {  // 24 bytes
  int64_t time;
  uint32_t nanos, user, item;
  float rating;

  bool same_moment(const EventRow& other) const {
    return user == other.user && time == other.time && nanos == other.nanos;
  }
};

// Slates as numbers: slate s is of user[s] and holds item[ptr[s] .. ptr[s + 1]).
struct ShownRows {
  std::vector<uint32_t> user, item;
  std::vector<int64_t> time;
  std::vector<uint8_t> clicked;
  std::vector<float> propensity;  // as `item`, 0: not told; may end early
  std::vector<size_t> ptr{0};
  std::vector<size_t> untold;  // slates of which only the events tell the clicks
};

// The numbers that stay, in the order of the dataset's indices, and where each number went.
struct Numbering {
  std::vector<uint32_t> number;  // [indices]
  std::vector<uint32_t> index;   // [numbers] kDropped: not kept
};

// Kept numbers in the order of their ids' hashes: an order that tells nothing of time.
Numbering shuffled(const Interner& ids, const std::vector<uint8_t>& keep);

// rows: sorted by user number, then time; only of users and items that are kept.
void write_events(const fs::path& dir, const std::vector<EventRow>& rows, const Numbering& users,
                  const Numbering& items);
void write_catalog(const fs::path& dir, const std::vector<CatalogItem>& catalog,
                   const Numbering& items);
void write_users(const fs::path& dir, const Interner& ids, const Numbering& users);
// Impressions of users and items that are kept; each user's slates by time. Returns the counts.
Json write_shown(const fs::path& dir, const ShownRows& shown, const Numbering& users,
                 const Numbering& items);

}  // namespace podium::data
