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

bool Admission::stands(Clock::time_point now) const {
  const auto patience = patience_now();
  return now - empty_ > patience || now - refused_ <= patience;
}

Admission::Clock::duration Admission::patience_now() const {
  return std::max(options_.least_patience, 4 * work_);
}

void Admission::leave(Clock::duration worked) {
  std::vector<Start> refused;
  Start taken;
  {
    const MutexLock lock(mutex_);
    work_ += (worked - work_) / 32;
    const auto now = options_.now();
    const bool standing = stands(now);
    const auto most_delay = standing ? std::max(options_.least_delay, work_ / 2) : patience_now();
    while (!waiting_.empty() && waiting_.front().since < now - most_delay) {
      refused.push_back(std::move(waiting_.front().start));
      waiting_.pop_front();
    }
    if (!waiting_.empty() && standing) {
      taken = std::move(waiting_.back().start);
      waiting_.pop_back();
    } else if (!waiting_.empty()) {
      taken = std::move(waiting_.front().start);
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
