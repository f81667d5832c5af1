#include "podium/retrieval/history.h"

#include <cmath>
#include <unordered_map>

#include "podium/retrieval/ranked.h"

namespace podium::retrieval {

std::vector<Scored> History::retrieve(const Query& query, size_t n) const {
  if (query.seen == SeenRule::kExclude) return {};
  std::unordered_map<ItemIndex, double> sum;
  const size_t events = query.history.size();
  for (size_t i = 0; i < events; ++i) {
    // Without times: places back.
    const double ago =
        i < query.times.size() ? double(query.now) - double(query.times[i]) : double(events - i);
    sum[query.history[i]] += 1 / std::sqrt(std::max(1.0, ago));
  }
  std::vector<Scored> found;
  for (const auto& [item, value] : sum) found.push_back({item, float(std::log(value))});
  keep_best(found, n);
  return found;
}

}  // namespace podium::retrieval
