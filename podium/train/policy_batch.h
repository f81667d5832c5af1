// Token sequences with the positions that carry loss, packed for the policy, and their log
// probabilities under the same masks that decoding uses.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/grammar.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/likeness.h"
#include "podium/sid/trie.h"
#include "podium/train/qwen3.h"

namespace podium::train {

using text::TokenId;

// What a token's probability is normalised over.
enum class Over : uint8_t { kVocabulary, kTrace, kListed, kWords, kCodes };

struct ScoredToken {
  int64_t row = 0;  // the position whose hidden state predicts it
  TokenId target = 0;
  Over over = Over::kVocabulary;
  bool in_trace = false;              // a word or name of a trace that was not forced
  Range level = {};                   // kCodes: the tokens of its level
  std::vector<TokenId> allowed = {};  // kListed, kWords: the grammar's; kTrace: all names; kCodes:
                                      // those that lead to an item, empty: all of the level
  std::vector<int64_t> names = {};    // [allowed] rows of the candidates' names in the prompt
  std::vector<float> likeness = {};   // [allowed, kLikeness] to what the answer has put; empty: 0
  float weight = 1;                   // of its loss; in RL the advantage
  float old_logprob = 0;              // RL: under the policy that sampled it
  float teacher_logprob = 0;          // distillation: under the teacher
  float start_logprob = 0;            // RL: under the policy that it began with
};

struct Example {
  Packed packed;
  std::vector<ScoredToken> scored;
  int64_t tokens() const { return int64_t(packed.tokens.size()); }
};

// A document: every token but the first is predicted, over the vocabulary.
Example document_example(std::span<const TokenId> tokens);

// Of a document of whole semantic IDs of the trie: each code is now predicted over those that may
// follow the codes before it. Where only one may, there is nothing to predict, and no loss.
void score_codes_over(const sid::SidTrie& trie, const rerank::Vocabulary& vocabulary,
                      Example& document);

// One slate's prompt, computed once, in its blocks (rerank/prompt.h), with any number of answers
// side by side: each attends to the prompt and to itself alone.
class SlateExample {
 public:
  // The context must outlive the object; the slate too.
  SlateExample(const rerank::PromptContext& context, const rerank::Slate& slate, bool with_trace,
               int max_trace);

  // tokens: an answer under the grammar (build_answer, or a rollout). Returns its loss tokens, to
  // be weighted by the caller, valid until the next call: trace tokens over the trace mask, choices
  // over what the grammar allowed; tokens that the grammar forces carry no loss, or, with
  // score_forced, are predicted over the vocabulary, as they must be where no grammar helps. The
  // first token, which says whether a trace follows, is given.
  std::span<ScoredToken> add_answer(std::span<const TokenId> tokens, bool score_forced = false);

  // What a user chose as the next name of an answer without a trace that has named the first 0, 1,
  // ... `ranks` - 1 of the other candidates: wherever the answer stands, the choice is what is
  // left to find. Candidates share a choice's weight in proportion to their gains [K], the choices
  // `weight` in proportion to 1 / log2(2 + rank), as NDCG counts them.
  void add_labels(std::span<const uint8_t> gains, float weight, size_t ranks);

  Example take() { return std::move(example_); }

 private:
  rerank::PermutationGrammar grammar() const;
  // As add_answer, of an answer's beginning; grammar: at the first token, goes on to the last.
  std::span<ScoredToken> add_tokens(std::span<const TokenId> tokens, bool score_forced,
                                    rerank::PermutationGrammar& grammar);
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

// Back to back; rows and segments moved along.
Example concatenate(std::span<const Example> examples);

// log P of every scored token, [scored], in order, on the CPU. weights and frozen lie on one
// device, where it is computed.
torch::Tensor log_probs(const rerank::ModelSpec& spec, const std::vector<torch::Tensor>& weights,
                        const Example& example, const Frozen& frozen);

// Of a model of `vocab` tokens; the context's texts must outlive it.
Frozen frozen_of(const rerank::PromptContext& context, int vocab,
                 torch::Device device = torch::kCPU);

}  // namespace podium::train
