#include "podium/serve/bundle_trials.h"

#include <ctime>
#include <utility>

#include "podium/serve/problem.h"
#include "podium/shadow/log_state.h"

namespace podium::serve {

BundleTrials::BundleTrials(ActiveBundle& bundle, const store::Store& store,
                           const RecentRequests& recent)
    : bundle_(bundle), store_(store), recent_(recent) {}

BundleTrials::~BundleTrials() { stop(); }

void BundleTrials::stop() {
  stop_ = true;
  const MutexLock lock(mutex_);
  if (thread_.joinable()) thread_.join();
}

bool BundleTrials::begin(const fs::path& dir, const TrialSize& size, Judge judge, Reply reply) {
  const MutexLock lock(mutex_);
  if (stop_ || running_.exchange(true)) return false;
  if (thread_.joinable()) thread_.join();  // of the last trial, which has ended
  thread_ = std::thread([this, dir, size, judge = std::move(judge), reply = std::move(reply)] {
    HttpReply told;
    try {
      const auto candidate = bundle_.open(dir);
      told = judge(candidate, run(*candidate, size));
    } catch (...) {
      told = problem(std::current_exception());
    }
    running_ = false;  // whoever is answered may begin another
    reply(std::move(told));
  });
  return true;
}

shadow::Report BundleTrials::run(const serving::Recommender& candidate,
                                 const TrialSize& size) const {
  const auto active = bundle_.now();
  std::vector<shadow::Question> questions;
  const auto newest = shadow::newest_events(store_.dir(), store_.applied());
  const auto found = shadow::held_out(newest, store_, active->bundle(), candidate.bundle(),
                                      std::time(nullptr), size.events);
  for (const shadow::HeldOut& event : found.events) {
    questions.push_back(shadow::question_of(event));
  }
  for (const RecentRequest& recent : recent_.newest(size.requests)) {
    questions.push_back({.request = recent.request, .within = recent.within});
  }
  shadow::fill_up(questions, active->bundle(), kLeastQuestions);
  return shadow::compare(*active, candidate, questions, {.stop = &stop_});
}

}  // namespace podium::serve
