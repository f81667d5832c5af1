// A slate as the policy is taught it: its prompt, with answers side by side, and which of their
// tokens carry loss.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/grammar.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/likeness.h"
#include "podium/train/policy_batch.h"

namespace podium::train {

// One slate's prompt, computed once, in its blocks (rerank/prompt.h), with any number of answers
// side by side: each attends to the prompt and to itself alone.
class SlateExample {
 public:
  // The context must outlive the object; the slate too.
  SlateExample(const rerank::PromptContext& context, const rerank::Slate& slate, bool with_trace,
               int max_trace);

  // What of an answer carries loss: what the grammar leaves to the policy, over that; what has to
  // be known of the same answer where no grammar helps.
  struct Scores {
    bool choices = true, form = false;
  };
  // tokens: an answer under the grammar (build_answer, or a rollout). Returns its loss tokens, to
  // be weighted by the caller, valid until the next call. Of its choices: trace tokens over the
  // trace mask, names over what the grammar allowed. Of its form: what is forced over the
  // vocabulary, and of names and claims' words only that they are of those that may come
  // (Over::kMay); of a free trace nothing. The first token, which says whether a trace follows, is
  // given.
  std::span<ScoredToken> add_answer(std::span<const TokenId> tokens, Scores scores);
  std::span<ScoredToken> add_answer(std::span<const TokenId> tokens) {
    return add_answer(tokens, {});
  }

  // What a user chose as the next name of an answer without a trace that has named the first 0, 1,
  // ... `ranks` - 1 of the other candidates: wherever the answer stands, the choice is what is
  // left to find. Candidates share a choice's weight in proportion to their gains [K], the choices
  // `weight` in proportion to 1 / log2(2 + rank), as NDCG counts them.
  void add_labels(std::span<const uint8_t> gains, float weight, size_t ranks);

  Example take() { return std::move(example_); }

 private:
  rerank::PermutationGrammar grammar() const;
  // As add_answer, of an answer's beginning; grammar: at the first token, goes on to the last.
  std::span<ScoredToken> add_tokens(std::span<const TokenId> tokens, Scores scores,
                                    rerank::PermutationGrammar& grammar);
  ScoredToken choice_of(const rerank::PermutationGrammar& grammar, ScoredToken scored) const;
  ScoredToken form_of(const rerank::PermutationGrammar& grammar, ScoredToken scored) const;
  void list_choices(std::span<const TokenId> allowed, ScoredToken& scored) const;
  void add_likeness(const runtime::Likeness& likeness, ScoredToken& scored) const;

  const rerank::PromptContext& context_;
  const rerank::Slate& slate_;
  bool with_trace_;
  int max_trace_;
  int64_t prompt_end_;  // tokens of the prompt
  int64_t first_name_;
  std::vector<TokenId> names_;
  const runtime::Alike alike_;
  Example example_;
};

}  // namespace podium::train
