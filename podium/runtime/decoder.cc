#include "podium/runtime/decoder.h"

#include <algorithm>
#include <optional>

#include "podium/base/error.h"
#include "podium/runtime/job.h"
#include "podium/runtime/model.h"

namespace podium::runtime {
namespace {

constexpr size_t kLeastRead = 32;  // tokens of prompts in every pass, however many lanes it has

bool chooses_words(const Lane& lane) {
  return lane.kind() == rerank::TokenKind::kTrace || lane.kind() == rerank::TokenKind::kWord;
}

}  // namespace

RunningBatch::RunningBatch(const Policy& policy, const BatchOptions& options)
    : policy_(policy), options_(options) {
  PODIUM_CHECK(options.lanes > 0 && options.pass_tokens > 0);
}
RunningBatch::~RunningBatch() = default;

bool RunningBatch::has_room() const {
  size_t lanes = 0, unread = 0;
  for (const auto& job : jobs_) {
    lanes += job->live();
    unread += job->unread();
  }
  return lanes < options_.lanes && unread < options_.pass_tokens;
}

void RunningBatch::add(Request request) {
  std::unique_ptr<Job> job;
  try {
    job = std::make_unique<Job>(policy_, std::move(request));
    job->begin();
    jobs_.push_back(std::move(job));
  } catch (...) {  // also out of memory: the request is lost, not the process
    if (!job) {
      request.done({}, std::current_exception());
      return;
    }
    job->fail(std::current_exception());
    job->answer();
  }
}

void RunningBatch::step() {
  end_late();
  gather();
  if (!chunks_.empty()) {
    distribute(forward(policy_.parts.model, chunks_, Rows::kLast, work_));
    compute_logits();
    choose();
  }
  retire();
}

void RunningBatch::end_late() {
  std::optional<Clock::time_point> now;  // not asked for unless a deadline is set
  for (const auto& job : jobs_) {
    if (job->deadline() == Clock::time_point::max()) continue;
    if (!now) now = options_.now();
    if (*now >= job->deadline()) job->end_late();
  }
}

void RunningBatch::gather() {
  chunks_.clear();
  turns_.clear();
  reading_.clear();
  size_t tokens = 0;
  for (const auto& job : jobs_) {
    if (job->stage() != Job::Stage::kAnswering) continue;
    for (Lane& lane : job->lanes()) {
      if (lane.done()) continue;
      chunks_.push_back({lane.unread(), &lane.cache()});
      turns_.push_back({job.get(), &lane, nullptr, nullptr});
      tokens += lane.unread().size();
    }
  }
  size_t left = std::max(options_.pass_tokens, tokens + kLeastRead) - tokens;
  for (const auto& job : jobs_) {
    if (left == 0) break;
    if (job->stage() == Job::Stage::kAnswering || job->live() == 0) continue;
    const size_t before = chunks_.size();
    left -= std::min(left, job->read_next(left, chunks_));
    reading_.push_back({job.get(), chunks_.size() - before});
  }
}

// states: [chunks, hidden]. The lanes of a prompt that is now read all choose from its last state.
void RunningBatch::distribute(std::span<const float> states) {
  const float* state = states.data();
  const size_t hidden = size_t(policy_.parts.model.spec.hidden);
  for (Turn& turn : turns_) {
    turn.state = state;
    state += hidden;
  }
  for (const Reading& reading : reading_) {
    state += reading.chunks * hidden;
    reading.job->advance();
    if (reading.job->stage() != Job::Stage::kAnswering) continue;
    for (Lane& lane : reading.job->lanes()) {
      turns_.push_back({reading.job, &lane, state - hidden, nullptr});
    }
  }
}

// Logits of the whole vocabulary, in one product.
void RunningBatch::compute_logits() {
  const Model& model = policy_.parts.model;
  const size_t hidden = size_t(model.spec.hidden), vocab = size_t(model.spec.vocab);
  free_states_.clear();
  for (const Turn& turn : turns_) {
    if (!chooses_words(*turn.lane)) continue;
    free_states_.insert(free_states_.end(), turn.state, turn.state + hidden);
  }
  if (free_states_.empty()) return;
  const size_t rows = free_states_.size() / hidden;
  logits_.resize(rows * vocab);
  work_.input.assign(free_states_.data(), rows, hidden);
  model.all.apply(work_.input, logits_.data());
  const float* row = logits_.data();
  for (Turn& turn : turns_) {
    if (!chooses_words(*turn.lane)) continue;
    turn.logits = row;
    row += vocab;
  }
}

void RunningBatch::choose() {
  for (const Turn& turn : turns_) {
    if (turn.lane->done()) continue;  // another lane has failed the job
    try {
      turn.lane->choose(turn.state, turn.logits, choice_);
    } catch (...) {
      turn.job->fail(std::current_exception());
    }
  }
}

void RunningBatch::retire() {
  for (const auto& job : jobs_) {
    if (job->live() == 0) job->answer();
  }
  std::erase_if(jobs_, [](const auto& job) { return job->live() == 0; });
}

void RunningBatch::fail(const std::exception_ptr& error) {
  for (const auto& job : jobs_) {
    job->fail(error);
    job->answer();
  }
  jobs_.clear();
}

}  // namespace podium::runtime
