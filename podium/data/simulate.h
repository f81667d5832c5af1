// A deterministic shop that makes datasets: for scale tests, experiments and demonstrations.
//
//   catalogue   shop.h: brands, two- or three-level categories, log-normal prices, text
//   users       three interests each (a category, a brand and a style in it) and a price level;
//               interests are replaced and the price level wanders as time goes by
//   visits      Poisson, busier at weekends; categories have their season of the year; new users
//               come and new items are released all the time
//   slates      items the shop shows at once, in random order: popular, new, to the user's taste
//               and related to the last click
//   clicks      independent (click_model.h): P(click) = position^-position_bias (examination) x
//               relevance, so that a slate can hold several; a user never sees again what was
//               clicked before
//   tiring      an option: users tire of a category within a slate, each at a pace of his own, and
//               look less far down, each to a depth of his own. Without it every byte is as if
//               there were no such option
//
// Every click is an event of rating 1; no two events of a user share a second.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/data/click_model.h"
#include "podium/data/shop.h"
#include "podium/data/simulate_options.h"

namespace podium::data {

inline constexpr int64_t kOpening = 1704067200;  // 2024-01-01 00:00 UTC, a Monday
inline constexpr int64_t kSecondsPerDay = 86400;

// One slate that a user saw. The spans and the model live until the callback returns.
struct ShownSlate {
  int64_t time;                      // unix seconds
  std::span<const uint32_t> items;   // [shown <= slate_size] item numbers by position
  std::span<const uint8_t> clicked;  // [shown] 1 where clicked
  const ClickModel& model;           // what the clicks were drawn from; item i: items[i]
  int64_t click_time(size_t position) const { return time + 3 * int64_t(position + 1); }
};

// The whole life of one user, oldest slate first. Depends on seed and user number alone. In the
// dataset the user's id is the number + 1, and the slates of the impressions are these.
void simulate_user(const Shop& shop, const SimulateOptions& options, uint64_t user,
                   const std::function<void(const ShownSlate&)>& show);

// Writes a Dataset directory, and in its folder impressions/ the slates (impressions.h). Users are
// simulated one at a time, twice: once for the events, once for the slates, so that slates cost no
// memory. Memory is that of DatasetBuilder: at most about 72 bytes an event while it writes, 100 a
// user and 1 kB an item. Returns the dataset's manifest content with "slates" and "impressions"
// added. Throws Error on options out of range.
Json simulate(const SimulateOptions& options, const fs::path& out, const std::string& name);

}  // namespace podium::data
