#include "podium/runtime/lane.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "podium/kernels/kernels.h"
#include "podium/runtime/model.h"
#include "podium/runtime/sampling.h"

namespace podium::runtime {
namespace {

using rerank::TokenKind;

constexpr float kNever = -std::numeric_limits<float>::infinity();

}  // namespace

Lane::Lane(const Policy& policy, const Request& request, const Candidates& candidates,
           Rollout& rollout, const Rng& rng, size_t room)
    : policy_(&policy),
      request_(&request),
      candidates_(&candidates),
      rollout_(&rollout),
      rng_(rng) {
  const DecodeOptions& options = request.options;
  const size_t count = request.slate.candidates.size();
  const rerank::Vocabulary& vocabulary = policy.context.vocabulary;
  rollout.tokens.reserve(room);
  rollout.logprob.reserve(room);
  rollout.kind.reserve(room);
  rollout.order.reserve(count);
  name_logits_.reserve(count);
  if (candidates.alike) likeness_.emplace(*candidates.alike);
  if (options.constrained) {
    grammar_.emplace(policy.context, request.slate, options.with_trace, options.max_trace);
    say_forced();
  } else {
    say(options.with_trace ? vocabulary.open_trace : vocabulary.open_answer_only, 0,
        TokenKind::kForced);
  }
}

void Lane::say(TokenId token, float logprob, TokenKind kind) {
  rollout_->tokens.push_back(token);
  rollout_->logprob.push_back(logprob);
  rollout_->kind.push_back(kind);
  if (grammar_) grammar_->accept(token);
}

void Lane::say_forced() {
  while (grammar_ && !grammar_->done() && grammar_->kind() == TokenKind::kForced) {
    say(grammar_->allowed().front(), 0, TokenKind::kForced);
  }
}

void Lane::choose(const float* state, const float* logits, ChoiceSpace& space) {
  const size_t before = rollout_->tokens.size();
  ++rollout_->steps;
  switch (kind()) {
    case TokenKind::kTrace:
      choose_token(state, logits, space);
      break;
    case TokenKind::kWord:
      choose_word(logits, space);
      break;
    case TokenKind::kCite:
      name_logits(state, grammar_->allowed(), space);
      say_listed(TokenKind::kCite, space);
      name_logits_.clear();  // no name of an answer
      break;
    case TokenKind::kChoice:
      choose_name(state, space);
      break;
    case TokenKind::kForced:  // one candidate: all was forced
      break;
  }
  unread_ = rollout_->tokens.size() - before;
  done_ = finished();
  if (!done_ && request_->progress && !request_->progress(rollout_->tokens)) end_late();
  if (done_) cache_.reset();  // its pages serve others
}

void Lane::choose_token(const float* state, const float* logits, ChoiceSpace& space) {
  const auto& tokens = grammar_ ? policy_->trace_tokens : policy_->all_tokens;
  std::vector<float>& values = space.trace;
  values.clear();
  for (const TokenId token : tokens) values.push_back(logits[token]);
  share_names(state, tokens, values, space);
  const Pick best = pick(values, request_->options.temperature, rng_, space.scaled);
  name_logits_.clear();  // no name of an answer
  say(tokens[best.index], best.logprob, TokenKind::kTrace);
  say_forced();
}

// One of a few words.
void Lane::choose_word(const float* logits, ChoiceSpace& space) {
  space.values.clear();
  for (const TokenId token : grammar_->allowed()) space.values.push_back(logits[token]);
  name_logits_.clear();
  say_listed(TokenKind::kWord, space);
}

// One of those that are allowed; space.values: their logits.
void Lane::say_listed(TokenKind kind, ChoiceSpace& space) {
  const Pick best = pick(space.values, request_->options.temperature, rng_, space.scaled);
  say(grammar_->allowed()[best.index], best.logprob, kind);
  say_forced();
}

// Among words, the names of the slate's candidates keep the probability that they have together,
// and share it as an answer's choice does; others have none.
void Lane::share_names(const float* state, std::span<const TokenId> tokens, std::span<float> values,
                       ChoiceSpace& space) {
  const rerank::Vocabulary& vocabulary = policy_->context.vocabulary;
  const size_t count = request_->slate.candidates.size();
  const auto at =
      size_t(std::ranges::lower_bound(tokens, vocabulary.candidate(0)) - tokens.begin());
  const auto names = tokens.subspan(at, rerank::kMaxCandidates);
  const auto own = values.subspan(at, count);
  std::ranges::fill(values.subspan(at + count, names.size() - count), kNever);
  const Partition together = partition(own);
  name_logits(state, names.first(count), space);
  if (!grammar_) add_what_may_come(own, space.values);
  const Partition among = partition(space.values);
  for (size_t i = 0; i < count; ++i) {
    own[i] = float(double(space.values[i]) - among.top - among.log_sum + together.top +
                   together.log_sum);
  }
}

// To the logits of all names, without a grammar: what their tokens' own logits [K] say, and that
// some stand in the answer already.
void Lane::add_what_may_come(std::span<const float> own, std::span<float> logits) const {
  const Model& model = policy_->parts.model;
  if (!model.spec.reads_slates()) return;  // these are the tokens' own
  const rerank::Vocabulary& vocabulary = policy_->context.vocabulary;
  for (size_t i = 0; i < logits.size(); ++i) logits[i] += own[i];
  const auto& said = rollout_->tokens;
  const auto answer = std::ranges::find_if(said, [&](TokenId token) {
    return token == vocabulary.open_answer || token == vocabulary.open_answer_only;
  });
  std::vector<bool> stands(logits.size());
  for (auto token = answer; token != said.end(); ++token) {
    const int64_t name = int64_t(*token) - vocabulary.candidate(0);
    if (name >= 0 && name < int64_t(stands.size())) stands[size_t(name)] = true;
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (stands[i]) logits[i] += *model.stands;
  }
}

// Of these names, into space.values and name_logits_.
void Lane::name_logits(const float* state, std::span<const TokenId> names, ChoiceSpace& space) {
  const Model& model = policy_->parts.model;
  const size_t hidden = size_t(model.spec.hidden), width = size_t(model.spec.choice);
  const TokenId first = policy_->context.vocabulary.candidate(0);
  name_logits_.resize(request_->slate.candidates.size());
  space.values.clear();
  space.query.clear();
  for (size_t i = 0; i < width; ++i) {
    space.query.push_back(kernels::dot(state, model.choice_query + i * hidden, hidden) /
                          std::sqrt(float(width)));
  }
  for (const TokenId name : names) {
    const auto i = size_t(name - first);
    name_logits_[i] =
        width == 0 ? kernels::dot(state, model.head + size_t(name) * hidden, hidden)
                   : candidates_->scores[i] +
                         kernels::dot(space.query.data(), &candidates_->keys[i * width], width);
    space.values.push_back(name_logits_[i]);
  }
}

void Lane::choose_name(const float* state, ChoiceSpace& space) {
  const auto names = grammar_->allowed();
  name_logits(state, names, space);
  weigh_likeness(state);
  if (!request_->options.verbalize) return say_block(space);
  partition(space.values);              // throws where there is no order
  rollout_->order = grammar_->order();  // the trace may have chosen the first
  append_rest(rollout_->order);
}

// The weights of this state.
void Lane::weigh_likeness(const float* state) {
  if (!likeness_) return;
  const Model& model = policy_->parts.model;
  const auto hidden = size_t(model.spec.hidden);
  for (size_t i = 0; i < rerank::kLikeness; ++i) {
    likeness_weights_[i] =
        model.likeness_bias[i] + kernels::dot(state, model.likeness_user + i * hidden, hidden);
  }
}

// Of a candidate as the answer's next, by the last state that chose.
float Lane::choice_logit(size_t candidate) const {
  if (!likeness_) return name_logits_[candidate];
  const auto likeness = likeness_->of(candidate);
  return std::inner_product(likeness.begin(), likeness.end(), likeness_weights_.begin(),
                            name_logits_[candidate]);
}

// The next names of the answer, each among those then left, by one state.
void Lane::say_block(ChoiceSpace& space) {
  const TokenId first = policy_->context.vocabulary.candidate(0);
  for (int i = 0; i < request_->options.block && kind() == TokenKind::kChoice; ++i) {
    if (likeness_) likeness_->follow(grammar_->order());
    space.values.clear();
    for (const TokenId name : grammar_->allowed()) {
      space.values.push_back(choice_logit(size_t(name - first)));
    }
    say_listed(TokenKind::kChoice, space);
  }
}

// Those that an order lacks, each the likeliest of those then left, ties as shown. Allocates
// nothing where there is room.
void Lane::append_rest(std::vector<int>& order) {
  const auto chosen = std::ptrdiff_t(order.size());
  for (int i = 0; i < int(request_->slate.candidates.size()); ++i) {
    if (std::find(order.begin(), order.begin() + chosen, i) == order.begin() + chosen) {
      order.push_back(i);
    }
  }
  if (name_logits_.empty()) return;
  for (auto next = order.begin() + chosen; next != order.end(); ++next) {
    if (likeness_) likeness_->follow({order.begin(), next});
    const auto best = std::max_element(next, order.end(), [&](int a, int b) {
      return choice_logit(size_t(a)) < choice_logit(size_t(b));
    });
    std::rotate(next, best, best + 1);
  }
}

bool Lane::finished() {
  Rollout& rollout = *rollout_;
  if (!rollout.order.empty()) return true;  // verbalized
  if (grammar_) {
    if (!grammar_->done()) return false;
    rollout.order = grammar_->order();
    return true;
  }
  if (rollout.tokens.back() != policy_->context.vocabulary.im_end &&
      rollout.tokens.size() < size_t(request_->options.max_tokens)) {
    return false;
  }
  rollout.order = rerank::parse_answer(policy_->context, request_->slate, rollout.tokens).order;
  return true;
}

void Lane::end_late() {
  if (done_) return;
  std::vector<int>& order = rollout_->order;
  if (grammar_) order = grammar_->order();
  append_rest(order);
  rollout_->late = done_ = true;
}

void Lane::give_up() {
  done_ = true;
  cache_.reset();
}

}  // namespace podium::runtime
