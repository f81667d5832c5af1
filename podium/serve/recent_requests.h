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
};

// Thread-safe.
class RecentRequests {
 public:
  static constexpr size_t kKept = 200;

  void add(RecentRequest request) {
    const MutexLock lock(mutex_);
    kept_.push_back(std::move(request));
    if (kept_.size() > kKept) kept_.pop_front();
  }
  std::vector<RecentRequest> newest(size_t most) const {
    const MutexLock lock(mutex_);
    const size_t n = std::min(most, kept_.size());
    return {kept_.end() - std::ptrdiff_t(n), kept_.end()};
  }
  // Erased users ask no more.
  void forget(std::string_view user) {
    const MutexLock lock(mutex_);
    std::erase_if(kept_, [&](const RecentRequest& recent) { return recent.request.user == user; });
  }

 private:
  mutable Mutex mutex_;
  std::deque<RecentRequest> kept_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serve
