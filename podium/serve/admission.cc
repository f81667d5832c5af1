#include "podium/serve/admission.h"

#include <algorithm>
#include <utility>

namespace podium::serve {

void Admission::enter(Start start) {
  {
    const MutexLock lock(mutex_);
    if (running_ >= options_.most_running) {
      const auto now = options_.now();
      if (waiting_.empty()) empty_ = now;
      waiting_.push_back({now, std::move(start)});
      return;
    }
    ++running_;
  }
  start(true);
}

Admission::Clock::duration Admission::most_delay(Clock::time_point now) const {
  const auto patience = std::max(options_.least_patience, 4 * work_);
  const bool burst = now - empty_ <= patience && now - refused_ > patience;
  return burst ? patience : std::max(options_.least_delay, work_ / 2);
}

void Admission::leave(Clock::duration worked) {
  std::vector<Start> refused;
  Start taken;
  {
    const MutexLock lock(mutex_);
    work_ += (worked - work_) / 32;
    const auto now = options_.now(), since = now - most_delay(now);
    while (!waiting_.empty() && !taken) {
      Waiting& first = waiting_.front();
      if (first.since < since) {
        refused.push_back(std::move(first.start));
      } else {
        taken = std::move(first.start);
      }
      waiting_.pop_front();
    }
    if (!taken) --running_;  // who is taken takes over the place
    if (waiting_.empty()) empty_ = now;
    if (!refused.empty()) refused_ = now;
  }
  if (taken) taken(true);
  for (const Start& start : refused) start(false);
}

}  // namespace podium::serve
