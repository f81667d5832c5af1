#include "podium/serve/bundle_trials.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "podium/serve/problem.h"
#include "podium/shadow/log_state.h"

namespace podium::serve {
namespace {

constexpr double kRest = 1;  // half of the time the processor is the requests' alone

}  // namespace

BundleTrials::BundleTrials(ActiveBundle& bundle, const store::Store& store, RecentRequests& recent)
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
  const auto recent = recent_.newest(size.requests);
  // In turn, so that a trial whose time is over has some of both.
  for (size_t i = 0; i < std::max(found.events.size(), recent.size()); ++i) {
    if (i < found.events.size()) questions.push_back(shadow::question_of(found.events[i]));
    if (i < recent.size()) {
      questions.push_back({.request = recent[i].request, .within = recent[i].within});
    }
  }
  shadow::fill_up(questions, active->bundle(), kLeastQuestions);
  return shadow::compare(*active, candidate, questions, {.rest = kRest, .stop = &stop_});
}

}  // namespace podium::serve
