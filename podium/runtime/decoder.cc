#include "podium/runtime/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/base/error.h"
#include "podium/kernels/kernels.h"

namespace podium::runtime {
namespace {

using rerank::PermutationGrammar;
using rerank::Slate;
using rerank::TokenKind;

struct Pick {
  size_t index;
  float logprob;  // at temperature 1
};

// Greedy, or sampled by inverting the distribution function with one uniform number a token.
// values: logits; overwritten.
Pick pick(std::span<float> values, double temperature, Rng& rng) {
  const float top = kernels::max_of(values.data(), values.size());
  const double log_sum = std::log(kernels::sum_of_exp(values.data(), values.size(), top));
  const auto logprob = [&](float value) { return float(double(value) - top - log_sum); };
  if (temperature <= 0) {
    const size_t best = size_t(std::find(values.begin(), values.end(), top) - values.begin());
    return {best, logprob(top)};
  }
  const std::vector<float> logits(values.begin(), values.end());
  const auto inverse = float(1 / temperature);
  for (float& value : values) value = (value - top) * inverse;
  kernels::exp_and_sum(values.data(), values.size(), 0);
  double sum = 0;
  for (float value : values) sum += value;
  double left = rng.uniform() * sum;
  size_t index = 0;
  while (index + 1 < values.size() && left >= values[index]) left -= values[index++];
  return {index, logprob(logits[index])};
}

// One rollout on its way.
struct Lane {
  size_t prompt = 0;                          // index of its slate in the group
  std::optional<PermutationGrammar> grammar;  // none: unconstrained
  Rng rng{0};
  std::optional<KvCache> cache;
  std::vector<TokenId> pending;  // emitted, not yet run through the model
  Rollout* rollout = nullptr;

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
};

class GroupDecoder {
 public:
  GroupDecoder(const DecodeTask& task, std::span<const Slate> slates, std::span<Rollout> rollouts)
      : task_(task), options_(task.options), hidden_size_(task.model.spec.hidden), slates_(slates) {
    if (!options_.constrained) {
      for (int i = 0; i < task.model.spec.vocab; ++i) all_tokens_.push_back(i);
    }
    lanes_.resize(rollouts.size());
    for (size_t i = 0; i < rollouts.size(); ++i) {
      lanes_[i].rollout = &rollouts[i];
      lanes_[i].prompt = i / options_.samples;
    }
  }

  void run() {
    std::vector<float> hidden;  // [active, hidden]: states that the next tokens are chosen from
    for (size_t i = 0; i < slates_.size(); ++i) start(i, hidden);
    std::vector<Lane*> active;
    for (Lane& lane : lanes_) active.push_back(&lane);
    while (!active.empty()) {
      choose(active, hidden);
      std::erase_if(active, [&](Lane* lane) { return finished(*lane); });
      if (active.empty()) break;
      std::vector<Chunk> chunks;
      for (Lane* lane : active) {
        chunks.push_back({lane->pending, &*lane->cache});
      }
      const auto states = forward(task_.model, chunks, Rows::kLast, work_);
      hidden.assign(states.begin(), states.end());
      for (Lane* lane : active) lane->pending.clear();
    }
  }

 private:
  size_t answer_tokens(const Slate& slate) const {
    if (!options_.constrained) return size_t(options_.max_tokens);
    const size_t trace = options_.with_trace ? size_t(std::max(0, options_.max_trace)) : 0;
    return trace + slate.candidates.size() * (task_.context.sids.levels + 3) + 3;
  }

  // Prefills one slate's prompt and what the grammar forces behind it, and sets up its lanes.
  void start(size_t index, std::vector<float>& hidden) {
    const Slate& slate = slates_[index];
    auto prompt = rerank::build_prefix(task_.context, slate, options_.with_trace);
    const size_t shared = prompt.size();
    rerank::append_candidates(task_.context, slate, prompt);
    const size_t answer = answer_tokens(slate);
    if (prompt.size() + answer > size_t(task_.model.spec.max_positions)) {
      throw Error(fmt::format("prompt and answer take {} tokens, the model has {} positions",
                              prompt.size() + answer, task_.model.spec.max_positions),
                  "show fewer candidates, a shorter history or fewer title tokens", slate.id);
    }
    const Rng root = Rng(options_.seed).fork(slate.id);
    const size_t first = index * options_.samples;
    for (size_t i = first; i < first + options_.samples; ++i) {
      Lane& lane = lanes_[i];
      lane.rng = root.fork(uint64_t(i - first));
      if (options_.constrained) {
        lane.grammar.emplace(task_.context.vocabulary, slate.candidates.size(), options_.with_trace,
                             options_.max_trace);
      }
      lane.emit_forced();
    }
    prompt.insert(prompt.end(), lanes_[first].pending.begin(), lanes_[first].pending.end());
    KvCache cache(task_.pool);
    if (task_.prefixes) cache = task_.prefixes->find(std::span(prompt).first(shared));
    Chunk chunk{std::span(prompt).subspan(cache.length()), &cache};
    const auto state = forward(task_.model, {&chunk, 1}, Rows::kLast, work_);
    if (task_.prefixes) task_.prefixes->insert(std::span(prompt).first(shared), cache);
    for (size_t i = first; i < first + options_.samples; ++i) {
      lanes_[i].cache = cache;
      lanes_[i].pending.clear();
      hidden.insert(hidden.end(), state.begin(), state.end());
    }
  }

  // The next token of every lane, and the forced ones behind it. hidden: [active, hidden].
  void choose(std::span<Lane* const> active, std::span<const float> hidden) {
    std::vector<size_t> free;  // lanes that choose from (nearly) the whole vocabulary
    free_states_.clear();
    for (size_t i = 0; i < active.size(); ++i) {
      const auto state = hidden.subspan(i * hidden_size_, hidden_size_);
      if (active[i]->kind() == TokenKind::kTrace) {
        free.push_back(i);
        free_states_.insert(free_states_.end(), state.begin(), state.end());
      } else if (active[i]->kind() == TokenKind::kChoice) {
        choose_listed(*active[i], state);
      }
    }
    if (free.empty()) return;
    const size_t vocab = task_.model.spec.vocab;
    logits_.resize(free.size() * vocab);
    work_.input.assign(free_states_.data(), free.size(), hidden_size_);
    task_.model.all.apply(work_.input, logits_.data());
    const auto tokens = options_.constrained ? task_.trace_tokens : all_tokens_;
    for (size_t i = 0; i < free.size(); ++i) {
      values_.clear();
      for (TokenId token : tokens) values_.push_back(logits_[i * vocab + token]);
      take(*active[free[i]], tokens, TokenKind::kTrace);
    }
  }

  void choose_listed(Lane& lane, std::span<const float> state) {
    const auto span = lane.grammar->allowed();
    const std::vector<TokenId> allowed(span.begin(), span.end());
    values_.clear();
    for (TokenId token : allowed) {
      values_.push_back(kernels::dot(state.data(), task_.model.head + size_t(token) * hidden_size_,
                                     hidden_size_));
    }
    if (options_.verbalize) {
      rank(lane, allowed);
    } else {
      take(lane, allowed, TokenKind::kChoice);
    }
  }

  // The candidates in the order of values_, the logits of their names; ties as shown.
  void rank(Lane& lane, std::span<const TokenId> names) const {
    std::vector<int>& order = lane.rollout->order;
    for (const TokenId name : names) order.push_back(name - task_.context.vocabulary.candidate(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return values_[size_t(a)] > values_[size_t(b)]; });
  }

  // Chooses among tokens with logits values_.
  void take(Lane& lane, std::span<const TokenId> tokens, TokenKind kind) {
    const Pick best = pick(values_, options_.temperature, lane.rng);
    lane.emit(tokens[best.index], best.logprob, kind);
    lane.emit_forced();
  }

  bool finished(Lane& lane) const {
    Rollout& rollout = *lane.rollout;
    if (!rollout.order.empty()) return true;  // verbalized
    if (lane.grammar) {
      if (!lane.grammar->done()) return false;
      rollout.order = lane.grammar->order();
      return true;
    }
    if (rollout.tokens.back() != task_.context.vocabulary.im_end &&
        rollout.tokens.size() < size_t(options_.max_tokens)) {
      return false;
    }
    rollout.order = rerank::parse_answer(task_.context, slates_[lane.prompt], rollout.tokens).order;
    return true;
  }

  const DecodeTask& task_;
  const DecodeOptions& options_;
  size_t hidden_size_;
  std::span<const Slate> slates_;
  std::vector<TokenId> all_tokens_;
  std::vector<Lane> lanes_;  // [slates * samples]
  Workspace work_;
  std::vector<float> free_states_, logits_, values_;
};

}  // namespace

void decode_group(const DecodeTask& task, std::span<const Slate> slates,
                  std::span<Rollout> rollouts) {
  GroupDecoder(task, slates, rollouts).run();
}

}  // namespace podium::runtime
