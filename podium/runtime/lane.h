// One rollout on its way. A forward pass reads what was said last; from the state after it the next
// token is chosen, and what the grammar forces is said at once:
//
//   {"reasoning":"  t t t t  ","recommendations":["  c_3  ","  c_1  ","  ...
//   forced          chosen     forced                chosen forced
//                                                    +- unread(): the next pass reads these
//
// With DecodeOptions::block several names are chosen from one state, and read in the next pass.
//
//   waits for its prompt -- open() --> choose(), a token a pass --> done
//                        -- end_late(), give_up() in either -----> done
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "podium/base/rng.h"
#include "podium/runtime/kv_cache.h"
#include "podium/runtime/likeness.h"
#include "podium/runtime/policy.h"

namespace podium::runtime {

// What a model that reads slates knows of the candidates when it chooses; as long-lived as the
// prompt that it was read from.
struct Candidates {
  std::vector<float> scores;   // [K], Prompt::scores and numbers times the model's scale
  std::vector<float> keys;     // [K, spec.choice]
  std::optional<Alike> alike;  // where the model weighs likeness
};

// Buffers of a choice, kept between calls; one per thread.
struct ChoiceSpace {
  std::vector<float> values, scaled, query, trace;
};

// Not thread-safe. What it is made with must outlive it, where it is.
class Lane {
 public:
  // Says what is forced before the first choice. `room`: most tokens of an answer; within them it
  // allocates nothing more.
  Lane(const Policy& policy, const Request& request, const Candidates& candidates, Rollout& rollout,
       const Rng& rng, size_t room);

  bool done() const { return done_; }
  // How the next token is chosen.
  rerank::TokenKind kind() const { return grammar_ ? grammar_->kind() : rerank::TokenKind::kTrace; }

  // The prompt was read, with what was forced after it.
  void open(const KvCache& prompt, size_t most_tokens) {
    cache_.emplace(prompt).expect(most_tokens);
  }
  KvCache& cache() { return *cache_; }
  // The last tokens that the model has not read.
  std::span<const TokenId> unread() const { return std::span(rollout_->tokens).last(unread_); }

  // After a pass: chooses the next token. state: [hidden]; logits: [vocab], only asked for where
  // kind() is kTrace or kWord. Throws Error when the logits are no numbers.
  void choose(const float* state, const float* logits, ChoiceSpace& space);

  // The answer past the deadline: the names chosen, then the others as the last name's logits have
  // them.
  void end_late();
  void give_up();  // its request has failed

 private:
  void say(TokenId token, float logprob, rerank::TokenKind kind);
  void say_forced();
  void choose_token(const float* state, const float* logits, ChoiceSpace& space);
  void share_names(const float* state, std::span<const TokenId> tokens, std::span<float> values,
                   ChoiceSpace& space);
  void add_what_may_come(std::span<const float> own, std::span<float> logits) const;
  void choose_word(const float* logits, ChoiceSpace& space);
  void choose_name(const float* state, ChoiceSpace& space);
  void weigh_likeness(const float* state);
  float choice_logit(size_t candidate) const;
  void say_block(ChoiceSpace& space);
  void append_rest(std::vector<int>& order);
  void say_listed(rerank::TokenKind kind, ChoiceSpace& space);
  void name_logits(const float* state, std::span<const TokenId> names, ChoiceSpace& space);
  bool finished();

  const Policy* policy_;
  const Request* request_;
  const Candidates* candidates_;
  Rollout* rollout_;
  std::optional<rerank::PermutationGrammar> grammar_;  // none: unconstrained
  Rng rng_;
  std::optional<KvCache> cache_;      // none: the prompt is being read, or all is done
  size_t unread_ = 0;                 // last tokens of the rollout
  std::vector<float> name_logits_;    // [candidates], when a name was chosen last; empty: none was
  std::optional<Likeness> likeness_;  // to the answer so far; none: it is not weighed
  std::array<float, rerank::kLikeness> likeness_weights_{};  // of the last choice's state
  bool done_ = false;
};

}  // namespace podium::runtime
