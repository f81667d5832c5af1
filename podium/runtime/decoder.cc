#include "podium/runtime/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/job.h"
#include "podium/runtime/model.h"
#include "podium/runtime/sampling.h"

namespace podium::runtime {
namespace {

using rerank::TokenKind;

constexpr size_t kLeastRead = 32;  // tokens of prompts in every pass, however many rollouts it has

}  // namespace

Policy::Policy(const Engine& engine, const rerank::PromptContext& prompts, bool traces)
    : parts(engine.parts()), context(prompts), all_tokens(size_t(parts.model.spec.vocab)) {
  if (prompts.tokenizer.vocab() > parts.model.spec.vocab) {
    throw Error(fmt::format("the tokenizer has {} tokens, the model {}", prompts.tokenizer.vocab(),
                            parts.model.spec.vocab),
                "use the tokenizer.json that belongs to the model");
  }
  std::iota(all_tokens.begin(), all_tokens.end(), TokenId(0));
  if (!traces) return;
  const auto mask = rerank::trace_mask(prompts.tokenizer, prompts.vocabulary);
  std::copy_if(all_tokens.begin(), all_tokens.begin() + ptrdiff_t(mask.size()),
               std::back_inserter(trace_tokens), [&](TokenId t) { return mask[size_t(t)] != 0; });
}

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
  auto job = std::make_unique<Job>(policy_, std::move(request));
  try {
    job->begin();
  } catch (const Error&) {
    job->request.done({}, std::current_exception());
    return;
  }
  jobs_.push_back(std::move(job));
}

void RunningBatch::step() {
  end_late();
  gather();
  if (!chunks_.empty()) {
    const auto states = forward(policy_.parts.model, chunks_, rows_, work_);
    distribute(states);
    compute_logits();
    for (const Turn& turn : turns_) take_turn(turn);
  }
  retire();
}

void RunningBatch::end_late() {
  std::optional<Clock::time_point> now;  // not asked for unless a deadline is set
  for (const auto& job : jobs_) {
    const auto deadline = job->request.options.deadline;
    if (deadline == Clock::time_point::max()) continue;
    if (!now) now = options_.now();
    if (*now < deadline) continue;
    for (Lane& lane : job->lanes) {
      if (!lane.done) lane.end_late();
    }
  }
}

// The next pass: every rollout's new tokens, then prompts in order of arrival. Guesses need the
// states of all tokens, which would be wasted on prompts.
void RunningBatch::gather() {
  chunks_.clear();
  running_.clear();
  reading_.clear();
  rows_ = Rows::kLast;
  const bool alone =
      std::none_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->unread() > 0; });
  size_t tokens = 0;
  for (const auto& job : jobs_) {
    if (job->unread() > 0) continue;
    for (Lane& lane : job->lanes) {
      if (lane.done) continue;
      lane.read_next(alone);
      if (lane.guessed > 0) rows_ = Rows::kAll;
      chunks_.push_back({lane.pending, &*lane.cache});
      running_.push_back(&lane);
      tokens += lane.pending.size();
    }
  }
  size_t left = std::max(options_.pass_tokens, tokens + kLeastRead) - tokens;
  for (const auto& job : jobs_) {
    if (left == 0) break;
    if (job->unread() == 0 || job->live() == 0) continue;
    const size_t before = chunks_.size();
    left -= std::min(left, job->read_next(left, chunks_));
    reading_.push_back({job.get(), chunks_.size() - before});
  }
}

// Hands the states to the rollouts that choose from them.
void RunningBatch::distribute(std::span<const float> states) {
  turns_.clear();
  const float* state = states.data();
  const size_t hidden = size_t(policy_.parts.model.spec.hidden);
  for (Lane* lane : running_) {
    if (rows_ == Rows::kAll) state += (lane->unread - 1) * hidden;
    turns_.push_back({lane, state, nullptr});
    state += (lane->guessed + 1) * hidden;
  }
  for (const Reading& reading : reading_) {
    state += reading.chunks * hidden;
    reading.job->advance();
    if (reading.job->unread() > 0) continue;
    for (Lane& lane : reading.job->lanes) turns_.push_back({&lane, state - hidden, nullptr});
  }
}

// Logits of the whole vocabulary for the rollouts that choose from (nearly) all of it.
void RunningBatch::compute_logits() {
  const Model& model = policy_.parts.model;
  const size_t hidden = size_t(model.spec.hidden), vocab = size_t(model.spec.vocab);
  free_states_.clear();
  for (const Turn& turn : turns_) {
    if (turn.lane->kind() != TokenKind::kTrace) continue;
    free_states_.insert(free_states_.end(), turn.states,
                        turn.states + (turn.lane->guessed + 1) * hidden);
  }
  if (free_states_.empty()) return;
  const size_t rows = free_states_.size() / hidden;
  logits_.resize(rows * vocab);
  work_.input.assign(free_states_.data(), rows, hidden);
  model.all.apply(work_.input, logits_.data());
  const float* row = logits_.data();
  for (Turn& turn : turns_) {
    if (turn.lane->kind() != TokenKind::kTrace) continue;
    turn.logits = row;
    row += (turn.lane->guessed + 1) * vocab;
  }
}

// Chooses the next token, and those behind it for as long as the guesses were right.
void RunningBatch::take_turn(const Turn& turn) {
  Lane& lane = *turn.lane;
  const auto guesses = std::span(lane.pending).last(lane.guessed);
  const std::vector<TokenId>& tokens = lane.rollout->tokens;
  size_t right = 0;
  do {
    const size_t before = tokens.size();
    choose(turn, right);
    const std::span<const TokenId> fresh = std::span(tokens).subspan(before);
    const auto ahead = guesses.subspan(right);
    const auto same =
        size_t(std::mismatch(fresh.begin(), fresh.end(), ahead.begin(), ahead.end()).first -
               fresh.begin());
    right += same;
    lane.unread = fresh.size() - same;
    lane.done = finished(lane);
  } while (!lane.done && lane.unread == 0);
  lane.rollout->confirmed += int(right);
  if (lane.done) {
    lane.cache.reset();  // its pages serve others
  } else {
    lane.cache->truncate(lane.cache->length() - (lane.guessed - right));
  }
}

// One token, and the forced ones behind it, from the state behind `row` guesses.
void RunningBatch::choose(const Turn& turn, size_t row) {
  const Model& model = policy_.parts.model;
  Lane& lane = *turn.lane;
  const TokenKind kind = lane.kind();
  if (kind == TokenKind::kChoice) {
    choose_name(lane, turn.states + row * size_t(model.spec.hidden));
    return;
  }
  if (!turn.logits) return;  // one candidate: all was forced
  const float* const logits = turn.logits + row * size_t(model.spec.vocab);
  const auto& tokens = lane.grammar ? policy_.trace_tokens : policy_.all_tokens;
  values_.clear();
  for (const TokenId token : tokens) values_.push_back(logits[token]);
  take(lane, tokens, kind);
}

void RunningBatch::choose_name(Lane& lane, const float* state) {
  const Model& model = policy_.parts.model;
  const size_t hidden = size_t(model.spec.hidden);
  const TokenId first = policy_.context.vocabulary.candidate(0);
  lane.name_logits.resize(lane.job->request.slate.candidates.size());
  values_.clear();
  for (const TokenId token : lane.grammar->allowed()) {
    values_.push_back(kernels::dot(state, model.head + size_t(token) * hidden, hidden));
    lane.name_logits[size_t(token - first)] = values_.back();
  }
  if (!lane.job->request.options.verbalize) {
    take(lane, lane.grammar->allowed(), TokenKind::kChoice);
    return;
  }
  std::vector<int>& order = lane.rollout->order;  // ties as shown
  order.resize(values_.size());
  std::iota(order.begin(), order.end(), 0);
  sort_by(values_, order);
}

// Chooses among tokens with logits values_.
void RunningBatch::take(Lane& lane, std::span<const TokenId> tokens, TokenKind kind) {
  const Pick best = pick(values_, lane.job->request.options.temperature, lane.rng, scratch_);
  lane.emit(tokens[best.index], best.logprob, kind);
  lane.emit_forced();
}

bool RunningBatch::finished(Lane& lane) const {
  Rollout& rollout = *lane.rollout;
  if (!rollout.order.empty()) return true;  // verbalized
  if (lane.grammar) {
    if (!lane.grammar->done()) return false;
    rollout.order = lane.grammar->order();
    return true;
  }
  const Request& request = lane.job->request;
  if (rollout.tokens.back() != policy_.context.vocabulary.im_end &&
      rollout.tokens.size() < size_t(request.options.max_tokens)) {
    return false;
  }
  rollout.order = rerank::parse_answer(policy_.context, request.slate, rollout.tokens).order;
  return true;
}

void RunningBatch::retire() {
  for (const auto& job : jobs_) {
    if (job->live() == 0) job->request.done(std::move(job->rollouts), nullptr);
  }
  std::erase_if(jobs_, [](const auto& job) { return job->live() == 0; });
}

void RunningBatch::fail(const std::exception_ptr& error) {
  for (const auto& job : jobs_) job->request.done({}, error);
  jobs_.clear();
}

}  // namespace podium::runtime
