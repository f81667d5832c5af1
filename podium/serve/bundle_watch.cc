#include "podium/serve/bundle_watch.h"

#include <fmt/format.h>

namespace podium::serve {

double BundleWatch::share() const {
  return newest_.empty() ? 0 : double(bad_) / double(newest_.size());
}

void BundleWatch::begin(const serving::Recommender& active, bool judged) {
  const MutexLock lock(mutex_);
  before_ = share();
  active_ = &active;
  left_ = judged ? kWatched : 0;
  newest_.clear();
  bad_ = 0;
}

std::optional<std::string> BundleWatch::answered(const serving::Recommender& by, bool sound) {
  const MutexLock lock(mutex_);
  if (&by != active_) return std::nullopt;
  newest_.push_back(sound);
  bad_ += sound ? 0 : 1;
  if (newest_.size() > kWindow) {
    bad_ -= newest_.front() ? 0 : 1;
    newest_.pop_front();
  }
  if (left_ == 0) return std::nullopt;
  --left_;
  if (newest_.size() < kWindow || share() <= kMost || share() <= before_ + kMore) {
    return std::nullopt;
  }
  left_ = 0;
  return fmt::format(
      "{} of its newest {} answers failed or were degraded, {:.1f} % of those of the bundle before",
      bad_, kWindow, 100 * before_);
}

}  // namespace podium::serve
