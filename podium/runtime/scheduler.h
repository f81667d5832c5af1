// Answers requests that arrive at any time, on threads of its own: each keeps a running batch
// (decoder.h), which the next request joins between two forward passes.
#pragma once

#include <condition_variable>
#include <future>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/runtime/decoder.h"

namespace podium::runtime {

struct SchedulerOptions {
  int threads = 1;
  std::vector<int> cores = {};  // thread i runs on core cores[i % size] only; empty: where it likes
  BatchOptions batch = {};
};

struct SchedulerStats {
  size_t waiting = 0;   // in no batch yet
  size_t answered = 0;  // so far; with errors, and late
  size_t late = 0;      // of them past their deadline
};

// Thread-safe. Requests start in the order of their deadlines, of equal deadlines in the order of
// arrival; those without a deadline come last.
class Scheduler {
 public:
  // The policy must outlive it. Throws Error when this process may not use one of the cores.
  Scheduler(const Policy& policy, const SchedulerOptions& options);
  // Answers what was submitted.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;

  // done is called on a thread of the scheduler, and holds up its batch while it runs.
  void submit(Request request);
  // The rollouts, or the Error, of one slate.
  std::future<std::vector<Rollout>> submit(rerank::Slate slate, const DecodeOptions& options);

  SchedulerStats stats() const;

 private:
  using Order = std::pair<Clock::time_point, size_t>;  // deadline, number of arrival

  void count(std::span<const Rollout> rollouts);
  void work();
  bool admit(RunningBatch& batch);
  bool next(const RunningBatch& batch, Request& request);

  const Policy& policy_;
  const BatchOptions options_;
  mutable Mutex mutex_;
  std::condition_variable wake_;
  std::map<Order, Request> queue_ PODIUM_GUARDED_BY(mutex_);
  size_t submitted_ PODIUM_GUARDED_BY(mutex_) = 0;
  size_t idle_ PODIUM_GUARDED_BY(mutex_) = 0;  // threads that wait for a request
  SchedulerStats stats_ PODIUM_GUARDED_BY(mutex_);
  bool stopping_ PODIUM_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace podium::runtime
