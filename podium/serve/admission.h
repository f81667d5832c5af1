// Which requests are worked on now, which wait for it, and which are told to come back, so that
// past capacity those that are taken are answered about as fast as ever.
//
// Waiting is bounded in time. A burst may wait long; but once there have been waiting ones for as
// long, and until nobody has been refused for as long again, nothing is taken that waited more than
// half the time that work takes of late, and the newest is taken first: the others would be refused
// anyway, and whoever is taken has hardly waited. That is controlled delay (Nichols and Jacobson,
// CoDel, ACM Queue 2012) and adaptive LIFO, as servers have them (Maurer, Fail at Scale, ACM Queue
// 2015).
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "podium/base/mutex.h"

namespace podium::serve {

struct AdmissionOptions {
  size_t most_running = 3;
  // Of what waits: never less in a queue that stands, and in a burst.
  std::chrono::steady_clock::duration least_delay = std::chrono::milliseconds(2);
  std::chrono::steady_clock::duration least_patience = std::chrono::milliseconds(100);
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Thread-safe.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;
  // Called once: with true when the request is to be worked on, then leave() follows; with false
  // when it is to come back later. On the thread of enter(), or of somebody's leave().
  using Start = std::function<void(bool taken)>;

  explicit Admission(AdmissionOptions options) : options_(std::move(options)) {}

  void enter(Start start);
  void leave(Clock::duration worked);  // how long the work has taken

 private:
  struct Waiting {
    Clock::time_point since;
    Start start;
  };
  bool stands(Clock::time_point now) const PODIUM_REQUIRES(mutex_);  // the queue
  Clock::duration patience_now() const PODIUM_REQUIRES(mutex_);

  const AdmissionOptions options_;
  Mutex mutex_;
  size_t running_ PODIUM_GUARDED_BY(mutex_) = 0;
  std::deque<Waiting> waiting_ PODIUM_GUARDED_BY(mutex_);
  Clock::time_point empty_ PODIUM_GUARDED_BY(mutex_);    // when nobody waited last
  Clock::time_point refused_ PODIUM_GUARDED_BY(mutex_);  // when somebody was last
  Clock::duration work_ PODIUM_GUARDED_BY(mutex_) = {};  // moving average
};

}  // namespace podium::serve
