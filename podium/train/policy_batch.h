// Token sequences with the positions that carry loss, packed for the policy, and their log
// probabilities under the same masks that decoding uses.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "podium/rerank/prompt.h"
#include "podium/sid/trie.h"
#include "podium/train/qwen3.h"

namespace podium::train {

using text::TokenId;

// What a token's probability is normalised over.
enum class Over : uint8_t {
  kVocabulary,
  kTrace,
  kListed,
  kWords,
  kCodes,
  kMay,  // not of the target's, but of all tokens that may come: over the vocabulary, as a rollout
         // without a grammar says them
};

struct ScoredToken {
  int64_t row = 0;  // the position whose hidden state predicts it
  TokenId target = 0;
  Over over = Over::kVocabulary;
  bool in_trace = false;              // a word or name of a trace that was not forced
  Range level = {};                   // kCodes: the tokens of its level
  std::vector<TokenId> allowed = {};  // kListed, kWords: the grammar's; kTrace: all names; kCodes:
                                      // those that lead to an item, empty: all of the level; kMay:
                                      // the grammar's words, or all names
  std::vector<int64_t> names = {};    // [allowed] rows of the candidates' names in the prompt
  std::vector<uint8_t> stands = {};   // [allowed] kMay, of names: 1 where it stands in the answer
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
