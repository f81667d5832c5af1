#include "podium/runtime/scheduler.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <memory>

#include "podium/base/error.h"

namespace podium::runtime {
namespace {

// The set of one core; throws Error when this process may not use it.
cpu_set_t only(int core) {
  cpu_set_t allowed, set;
  CPU_ZERO(&set);
  if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof(allowed), &allowed) != 0 ||
      !CPU_ISSET(size_t(core), &allowed)) {
    throw Error(fmt::format("cannot run on core {}", core), "name cores that this process may use");
  }
  CPU_SET(size_t(core), &set);
  return set;
}

}  // namespace

Scheduler::Scheduler(const Policy& policy, const SchedulerOptions& options)
    : policy_(policy), options_(options.batch) {
  std::vector<cpu_set_t> sets;
  for (const int core : options.cores) sets.push_back(only(core));
  for (size_t i = 0; i < size_t(std::max(1, options.threads)); ++i) {
    threads_.emplace_back([this] { work(); });
    if (sets.empty()) continue;
    pthread_setaffinity_np(threads_.back().native_handle(), sizeof(cpu_set_t),
                           &sets[i % sets.size()]);
  }
}

Scheduler::~Scheduler() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void Scheduler::submit(Request request) {
  request.done = [this, done = std::move(request.done)](std::vector<Rollout> rollouts,
                                                        const std::exception_ptr& error) {
    count(rollouts);
    done(std::move(rollouts), error);
  };
  {
    const MutexLock lock(mutex_);
    PODIUM_CHECK(!stopping_);
    const Order order{request.options.deadline, submitted_++};
    queue_.emplace(order, std::move(request));
  }
  wake_.notify_one();
}

void Scheduler::count(std::span<const Rollout> rollouts) {
  const MutexLock lock(mutex_);
  ++stats_.answered;
  if (std::any_of(rollouts.begin(), rollouts.end(), [](auto& r) { return r.late; })) ++stats_.late;
}

std::future<std::vector<Rollout>> Scheduler::submit(rerank::Slate slate,
                                                    const DecodeOptions& options) {
  const auto promise = std::make_shared<std::promise<std::vector<Rollout>>>();
  auto future = promise->get_future();
  submit({std::move(slate), options,
          [promise](std::vector<Rollout> rollouts, const std::exception_ptr& error) {
            if (error) {
              promise->set_exception(error);
            } else {
              promise->set_value(std::move(rollouts));
            }
          }});
  return future;
}

SchedulerStats Scheduler::stats() const {
  const MutexLock lock(mutex_);
  SchedulerStats stats = stats_;
  stats.waiting = queue_.size();
  return stats;
}

void Scheduler::work() {
  RunningBatch batch(policy_, options_);
  bool more = true;
  while (more) {
    try {
      more = admit(batch);
      if (more) batch.step();
    } catch (...) {  // out of memory: the batch is lost, the others live on
      batch.fail(std::current_exception());
    }
  }
}

// Lets requests join; waits for one while there is nothing to do. False: stop.
bool Scheduler::admit(RunningBatch& batch) {
  Request request;
  while (next(batch, request)) batch.add(std::move(request));
  return !batch.empty();
}

bool Scheduler::next(const RunningBatch& batch, Request& request) {
  const MutexLock lock(mutex_);
  if (batch.empty()) {
    ++idle_;
    while (!stopping_ && queue_.empty()) mutex_.wait(wake_);
    --idle_;
  } else if (queue_.size() <= idle_) {
    return false;  // for the threads that have nothing to do
  }
  if (queue_.empty()) return false;
  const auto first = queue_.begin();
  const auto deadline = first->first.first;
  const bool late = deadline != Clock::time_point::max() && deadline <= options_.now();
  if (!batch.has_room() && !late) return false;
  request = std::move(first->second);
  queue_.erase(first);
  return true;
}

}  // namespace podium::runtime
