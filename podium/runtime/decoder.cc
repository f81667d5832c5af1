#include "podium/runtime/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/model.h"
#include "podium/runtime/sampling.h"

namespace podium::runtime {
namespace {

using rerank::PermutationGrammar;
using rerank::TokenKind;

// Sorts indices of values, largest first, equals as they were. Allocates nothing, and NaNs do no
// harm.
void sort_by(std::span<const float> values, std::span<int> indices) {
  const auto above = [&](int a, int b) { return values[size_t(a)] > values[size_t(b)]; };
  for (auto at = indices.begin(); at != indices.end(); ++at) {
    std::rotate(std::upper_bound(indices.begin(), at, *at, above), at, at + 1);
  }
}

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

// One rollout on its way.
struct RunningBatch::Lane {
  Job* job = nullptr;
  Rollout* rollout = nullptr;
  std::optional<PermutationGrammar> grammar;  // none: unconstrained
  Rng rng{0};
  std::optional<KvCache> cache;
  std::vector<TokenId> pending;    // emitted, not yet run through the model
  std::vector<float> name_logits;  // [candidates], when a name was chosen last; empty: none yet
  bool done = false;

  void emit(TokenId token, float logprob, TokenKind kind) {
    rollout->tokens.push_back(token);
    rollout->logprob.push_back(logprob);
    rollout->kind.push_back(kind);
    pending.push_back(token);
    if (grammar) grammar->accept(token);
  }
  void emit_forced() {
    while (grammar && !grammar->done() && grammar->kind() == TokenKind::kForced) {
      emit(grammar->allowed().front(), 0, TokenKind::kForced);
    }
  }
  TokenKind kind() const { return grammar ? grammar->kind() : TokenKind::kTrace; }

  // The names chosen, then the others as the last name's logits have them.
  void end_late(size_t candidates) {
    std::vector<int>& order = rollout->order;
    if (grammar) order = grammar->order();
    const auto chosen = ptrdiff_t(order.size());
    for (int i = 0; i < int(candidates); ++i) {
      if (std::find(order.begin(), order.begin() + chosen, i) == order.begin() + chosen) {
        order.push_back(i);
      }
    }
    rollout->late = done = true;
    if (!name_logits.empty()) sort_by(name_logits, std::span(order).subspan(size_t(chosen)));
  }
};

struct RunningBatch::Job {
  Job(Request from, PagePool& pool) : request(std::move(from)), cache(pool) {}

  size_t unread() const { return prompt.size() - cache.length(); }
  size_t live() const {
    return size_t(std::count_if(lanes.begin(), lanes.end(), [](auto& l) { return !l.done; }));
  }

  Request request;
  std::vector<TokenId> prompt;  // and what the grammar forces behind it
  size_t shared = 0;            // tokens of it that other requests may begin with
  size_t answer = 0;            // most tokens of an answer
  KvCache cache;                // of the prompt
  std::vector<Rollout> rollouts;
  std::vector<Lane> lanes;
};

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
  auto job = std::make_unique<Job>(std::move(request), policy_.parts.pool);
  try {
    begin(*job);
  } catch (const Error&) {
    job->request.done({}, std::current_exception());
    return;
  }
  jobs_.push_back(std::move(job));
}

// Builds the prompt, finds what is known of it, and sets up the lanes with room for their answers.
void RunningBatch::begin(Job& job) const {
  const rerank::Slate& slate = job.request.slate;
  const DecodeOptions& options = job.request.options;
  PODIUM_CHECK(options.samples >= 1);
  PODIUM_CHECK(options.constrained || (options.max_tokens >= 1 && !options.verbalize));
  const auto& context = policy_.context;
  job.prompt = rerank::build_prefix(context, slate, options.with_trace);
  job.shared = job.prompt.size();
  rerank::append_candidates(context, slate, job.prompt);
  const size_t trace = options.with_trace ? size_t(std::max(0, options.max_trace)) : 0;
  job.answer = options.constrained ? trace + slate.candidates.size() * (context.sids.levels + 3) + 3
                                   : size_t(options.max_tokens);
  const size_t most = job.prompt.size() + job.answer;
  if (most > size_t(policy_.parts.model.spec.max_positions)) {
    throw Error(fmt::format("prompt and answer take {} tokens, the model has {} positions", most,
                            policy_.parts.model.spec.max_positions),
                "show fewer candidates, a shorter history or fewer title tokens", slate.id);
  }
  open_lanes(job);
  const auto& forced = job.lanes.front().pending;
  job.prompt.insert(job.prompt.end(), forced.begin(), forced.end());
  if (policy_.parts.prefixes) {
    job.cache = policy_.parts.prefixes->find(std::span(job.prompt).first(job.shared));
  }
  job.cache.expect(job.prompt.size());
}

void RunningBatch::open_lanes(Job& job) const {
  const DecodeOptions& options = job.request.options;
  const size_t candidates = job.request.slate.candidates.size();
  const Rng root = Rng(options.seed).fork(job.request.slate.id);
  job.rollouts.resize(size_t(options.samples));
  job.lanes.resize(job.rollouts.size());
  for (size_t i = 0; i < job.lanes.size(); ++i) {
    Lane& lane = job.lanes[i];
    lane.job = &job;
    lane.rollout = &job.rollouts[i];
    lane.rollout->tokens.reserve(job.answer);
    lane.rollout->logprob.reserve(job.answer);
    lane.rollout->kind.reserve(job.answer);
    lane.rollout->order.reserve(candidates);
    lane.pending.reserve(job.answer);
    lane.name_logits.reserve(candidates);
    lane.rng = root.fork(uint64_t(i));
    if (options.constrained) {
      lane.grammar.emplace(policy_.context.vocabulary, candidates, options.with_trace,
                           options.max_trace);
    }
    lane.emit_forced();
  }
}

void RunningBatch::step() {
  end_late();
  gather();
  if (!chunks_.empty()) {
    distribute(forward(policy_.parts.model, chunks_, Rows::kLast, work_));
    choose();
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
      if (!lane.done) lane.end_late(job->request.slate.candidates.size());
    }
  }
}

// The next pass: every rollout's new tokens, then prompts in order of arrival.
void RunningBatch::gather() {
  chunks_.clear();
  running_.clear();
  reading_.clear();
  size_t tokens = 0;
  for (const auto& job : jobs_) {
    if (job->unread() > 0) continue;
    for (Lane& lane : job->lanes) {
      if (lane.done) continue;
      chunks_.push_back({lane.pending, &*lane.cache});
      running_.push_back(&lane);
      tokens += lane.pending.size();
    }
  }
  size_t left = std::max(options_.pass_tokens, tokens + kLeastRead) - tokens;
  for (const auto& job : jobs_) {
    const size_t count = std::min(left, job->unread());
    if (count == 0 || job->live() == 0) continue;
    chunks_.push_back({std::span(job->prompt).subspan(job->cache.length(), count), &job->cache});
    reading_.push_back(job.get());
    left -= count;
  }
}

// Hands every chunk's last state to the rollouts that choose from it.
void RunningBatch::distribute(std::span<const float> states) {
  turns_.clear();
  const float* state = states.data();
  const size_t hidden = size_t(policy_.parts.model.spec.hidden);
  for (Lane* lane : running_) {
    lane->pending.clear();
    turns_.push_back({lane, state});
    state += hidden;
  }
  for (Job* job : reading_) {
    if (job->unread() == 0) {
      if (policy_.parts.prefixes) {
        policy_.parts.prefixes->insert(std::span(job->prompt).first(job->shared), job->cache);
      }
      for (Lane& lane : job->lanes) {
        lane.cache.emplace(job->cache).expect(job->prompt.size() + job->answer);
        lane.pending.clear();
        turns_.push_back({&lane, state});
      }
    }
    state += hidden;
  }
}

// The next token of every lane whose turn it is, and the forced ones behind it.
void RunningBatch::choose() {
  const Model& model = policy_.parts.model;
  const size_t hidden = size_t(model.spec.hidden), vocab = size_t(model.spec.vocab);
  free_.clear();
  free_states_.clear();
  for (const Turn& turn : turns_) {
    if (turn.lane->kind() == TokenKind::kTrace) {
      free_.push_back(turn);
      free_states_.insert(free_states_.end(), turn.state, turn.state + hidden);
    } else if (turn.lane->kind() == TokenKind::kChoice) {
      choose_listed(*turn.lane, turn.state);
    }
  }
  if (free_.empty()) return;
  logits_.resize(free_.size() * vocab);
  work_.input.assign(free_states_.data(), free_.size(), hidden);
  model.all.apply(work_.input, logits_.data());
  for (size_t i = 0; i < free_.size(); ++i) {
    const auto& tokens = free_[i].lane->grammar ? policy_.trace_tokens : policy_.all_tokens;
    values_.clear();
    for (const TokenId token : tokens) values_.push_back(logits_[i * vocab + size_t(token)]);
    take(*free_[i].lane, tokens, TokenKind::kTrace);
  }
}

void RunningBatch::choose_listed(Lane& lane, const float* state) {
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
  for (const Turn& turn : turns_) {
    Lane& lane = *turn.lane;
    lane.done = finished(lane);
    if (lane.done) lane.cache.reset();  // its pages serve others
  }
  turns_.clear();
  for (const auto& job : jobs_) {
    if (job->live() == 0) job->request.done(std::move(job->rollouts), nullptr);
  }
  std::erase_if(jobs_, [](const auto& job) { return job->live() == 0; });
}

void RunningBatch::fail(const std::exception_ptr& error) {
  turns_.clear();
  for (const auto& job : jobs_) job->request.done({}, error);
  jobs_.clear();
}

}  // namespace podium::runtime
