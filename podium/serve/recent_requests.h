// The newest requests for recommendations, for trying rules and bundles on what people really ask.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/serving/request.h"

namespace podium::serve {

struct RecentRequest {
  serving::Request request;
  std::map<std::string, std::string, std::less<>> context = {};
  serving::Clock::duration within = serving::Clock::duration::max();  // it was to be answered
  serving::Clock::time_point came = serving::Clock::now();
};

// Thread-safe.
class RecentRequests {
 public:
  static constexpr size_t kKept = 200;

  // keep: for how long at most; zero: until newer ones have come.
  explicit RecentRequests(serving::Clock::duration keep = {}) : keep_(keep) {}

  void add(RecentRequest request) {
    const MutexLock lock(mutex_);
    drop_older(request.came);
    kept_.push_back(std::move(request));
    if (kept_.size() > kKept) kept_.pop_front();
  }
  std::vector<RecentRequest> newest(size_t most,
                                    serving::Clock::time_point now = serving::Clock::now()) {
    const MutexLock lock(mutex_);
    drop_older(now);
    const size_t n = std::min(most, kept_.size());
    return {kept_.end() - std::ptrdiff_t(n), kept_.end()};
  }
  // Erased users ask no more.
  void forget(std::string_view user) {
    const MutexLock lock(mutex_);
    std::erase_if(kept_, [&](const RecentRequest& recent) { return recent.request.user == user; });
  }

 private:
  void drop_older(serving::Clock::time_point now) PODIUM_REQUIRES(mutex_) {
    if (keep_ == serving::Clock::duration::zero()) return;
    while (!kept_.empty() && kept_.front().came < now - keep_) kept_.pop_front();
  }

  const serving::Clock::duration keep_;
  Mutex mutex_;
  std::deque<RecentRequest> kept_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serve
