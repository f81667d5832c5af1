// Whether a bundle that was activated lately answers worse than the one before it.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "podium/base/mutex.h"
#include "podium/serving/recommender.h"

namespace podium::serve {

// Thread-safe.
class BundleWatch {
 public:
  static constexpr size_t kWindow = 200;    // the newest answers, which are judged together
  static constexpr size_t kWatched = 2000;  // answers, after which a bundle is no longer judged
  // The share of them that may have failed or been degraded; and how much more than before.
  static constexpr double kMost = .1, kMore = .1;

  // From now on this one is served, and judged if it was activated anew.
  void begin(const serving::Recommender& active, bool judged);

  // Why it is to be taken back, told once; answers of others do not count.
  std::optional<std::string> answered(const serving::Recommender& by, bool sound);

 private:
  double share() const PODIUM_REQUIRES(mutex_);

  Mutex mutex_;
  const void* active_ PODIUM_GUARDED_BY(mutex_) = nullptr;  // to tell it from others, no more
  size_t left_ PODIUM_GUARDED_BY(mutex_) = 0;               // answers, until it is trusted
  std::deque<bool> newest_ PODIUM_GUARDED_BY(mutex_);       // whether sound
  size_t bad_ PODIUM_GUARDED_BY(mutex_) = 0;                // of them
  double before_ PODIUM_GUARDED_BY(mutex_) = 0;  // share of bad ones of the bundle before
};

}  // namespace podium::serve
