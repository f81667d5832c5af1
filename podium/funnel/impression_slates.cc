#include "podium/funnel/impression_slates.h"

#include <fmt/format.h>

#include <algorithm>

namespace podium::funnel {
namespace {

LoggedSlate logged_slate(const data::Dataset& dataset, const data::ImpressionSlate& shown,
                         size_t number) {
  const auto times = dataset.times_of(shown.user);
  const auto before = std::lower_bound(times.begin(), times.end(), shown.time) - times.begin();
  LoggedSlate logged{shown.user, shown.time, uint32_t(before), {}};
  logged.slate.id = fmt::format("{}#{}", dataset.user_id(shown.user), number);
  const auto history = dataset.items_of(shown.user).first(size_t(before));
  const auto kept = history.last(std::min(history.size(), rerank::kMaxHistory));
  logged.slate.history.assign(kept.begin(), kept.end());
  for (size_t p = 0; p < shown.items.size(); ++p) {
    logged.slate.candidates.push_back({.item = shown.items[p], .gain = shown.clicked[p]});
  }
  return logged;
}

}  // namespace

std::vector<LoggedSlate> impression_slates(const data::Dataset& dataset,
                                           const data::Impressions& impressions, int64_t first_time,
                                           int64_t last_time) {
  std::vector<LoggedSlate> all;
  for (size_t s = 0; s < impressions.slates(); ++s) {
    const data::ImpressionSlate shown = impressions.slate(s);
    if (shown.time < first_time || shown.time >= last_time) continue;
    LoggedSlate logged = logged_slate(dataset, shown, s);
    if (rerank::slate_flaw(logged.slate).empty()) all.push_back(std::move(logged));
  }
  return all;
}

}  // namespace podium::funnel
