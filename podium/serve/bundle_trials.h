// A candidate bundle beside the one that is served (shadow/trial.h), and the gate that it passes
// before it is served. Runs on a thread of its own, one trial at a time, each of a bounded number
// of questions, and rests half of the time: requests share the processor with one of them at most.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "podium/base/mutex.h"
#include "podium/serve/active_bundle.h"
#include "podium/serve/http.h"
#include "podium/serve/recent_requests.h"
#include "podium/shadow/trial.h"
#include "podium/store/store.h"

namespace podium::serve {

struct TrialSize {
  size_t requests = RecentRequests::kKept;  // at most: the newest requests
  size_t events = 500;                      // at most: events held out
};
inline constexpr size_t kLeastQuestions = 100;  // users of the bundle make them up
inline constexpr size_t kMostHeldOut = 5000;

// Thread-safe.
class BundleTrials {
 public:
  BundleTrials(ActiveBundle& bundle, const store::Store& store, RecentRequests& recent);
  ~BundleTrials();

  // What is answered when the trial is over, given the candidate, opened. On the trial's thread;
  // what it throws is answered as a problem.
  using Judge = std::function<HttpReply(const std::shared_ptr<serving::Recommender>& candidate,
                                        const shadow::Report& report)>;
  // false, and nothing is done: another trial is under way, or stop() was called.
  bool begin(const fs::path& dir, const TrialSize& size, Judge judge, Reply reply);

  // Ends the trial under way, which is answered as interrupted, and begins no other.
  void stop();

 private:
  shadow::Report run(const serving::Recommender& candidate, const TrialSize& size) const;

  ActiveBundle& bundle_;
  const store::Store& store_;
  RecentRequests& recent_;
  std::atomic<bool> stop_{false}, running_{false};
  Mutex mutex_;
  std::thread thread_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serve
