// A request on its way: its prompt, and the rollouts that share it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "podium/runtime/decoder.h"

namespace podium::runtime {

// One rollout.
struct Lane {
  Job* job = nullptr;
  Rollout* rollout = nullptr;
  std::optional<rerank::PermutationGrammar> grammar;  // none: unconstrained
  Rng rng{0};
  std::optional<KvCache> cache;    // none: the prompt is being read
  size_t unread = 0;               // last tokens of the rollout that the model has not read
  size_t guessed = 0;              // tokens of pending that are guesses
  std::vector<TokenId> pending;    // what the model reads next: the unread tokens, then guesses
  std::vector<float> name_logits;  // [candidates], when a name was chosen last; empty: none was
  bool done = false;

  rerank::TokenKind kind() const { return grammar ? grammar->kind() : rerank::TokenKind::kTrace; }
  void emit(TokenId token, float logprob, rerank::TokenKind kind);
  void emit_forced();
  // Fills pending; only with `ahead` guesses may be in it.
  void read_next(bool ahead);
  // The answer of a rollout past its deadline: the names chosen, then the others as the last name's
  // logits have them.
  void end_late();

 private:
  void guess_names(size_t most);
  void guess_trace(size_t most);
};

struct Job {
  Job(const Policy& of, Request from);

  // Builds the prompt, finds what is known of it, and sets up the lanes with room for their
  // answers. Throws Error when the model has too few positions.
  void begin();

  size_t unread() const { return prompt.size() - cache.length(); }  // tokens of the prompt
  size_t live() const;                                              // rollouts

  const Policy& policy;
  Request request;
  std::vector<TokenId> prompt;  // and what the grammar forces behind it
  size_t shared = 0;            // tokens of it that other requests may begin with
  size_t answer = 0;            // most tokens of an answer
  KvCache cache;                // of the prompt
  std::vector<Rollout> rollouts;
  std::vector<Lane> lanes;

 private:
  void open_lane(Lane& lane);
};

// Sorts indices of values, largest first, equals as they were. Allocates nothing; NaNs do no harm.
void sort_by(std::span<const float> values, std::span<int> indices);

}  // namespace podium::runtime
