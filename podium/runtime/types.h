// The small types that the runtime's parts share: what is asked, and what is answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "podium/rerank/grammar.h"
#include "podium/rerank/prompt.h"
#include "podium/rerank/slate.h"

namespace podium::runtime {

using text::TokenId;
using Clock = std::chrono::steady_clock;

// Weights by Hugging Face name, fp32, row-major, kept by pointer.
using WeightMap = std::map<std::string, std::span<const float>, std::less<>>;

struct DecodeOptions {
  bool with_trace = true;
  int max_trace = 96;       // tokens
  double temperature = 0;   // 0: greedy
  int samples = 1;          // rollouts a prompt (share one prefill)
  bool verbalize = false;   // rank by the logits of the answer's first name (LlamaRec): one pass
                            // over the prompt, instead of one more a name; needs constrained
  int block = 1;            // names of the answer that are chosen from one state, before the model
                            // reads them: fewer passes (block-parallel: Diffusion-GR2, 2607.01170)
  bool constrained = true;  // false: free decoding of at most max_tokens, may be invalid
  int max_tokens = 400;
  uint64_t seed = 0;  // rollout i of prompt id: stream seed/id/i, whatever the batching
  // Past it a rollout ends between two forward passes, with the best order so far.
  Clock::time_point deadline = Clock::time_point::max();
};

struct Rollout {
  std::vector<TokenId> tokens;          // after the prompt, up to <|im_end|>; verbalized: up to
                                        // the first name, which is not emitted
  std::vector<float> logprob;           // [tokens], of the sampling distribution at
                                        // temperature 1 under the grammar's mask; 0 if forced
  std::vector<rerank::TokenKind> kind;  // [tokens]
  std::vector<int> order;               // permutation; empty if invalid
  int steps = 0;  // states that were chosen from: the prompt's last, then a pass of the model each
  bool late = false;  // cut short by the deadline: the names chosen, then the others in the order
                      // of the last name's logits; the slate's order if no name was chosen
};

// Takes the rollouts [options.samples] of a request, or what went wrong. Must not throw.
using Done = std::function<void(std::vector<Rollout> rollouts, const std::exception_ptr& error)>;

// Takes what a rollout has said so far, after each of its choices but the last; false ends it as
// its deadline would. What it throws fails the request.
using Progress = std::function<bool(std::span<const TokenId> tokens)>;

struct Request {
  rerank::Slate slate;
  DecodeOptions options;
  Done done;
  Progress progress = {};  // none, or of a single sample
};

struct RetrieveOptions {
  int beam = 50;                                      // prefixes kept a level
  int max_history = int(rerank::kSequenceItems) - 1;  // newest items shown
  // What a code's probability is normalised over: the codes that lead to an item, as the policy was
  // trained (midtrain.codes_over), or all codes of its level.
  bool over_trie = true;
};

struct Retrieved {
  rerank::ItemIndex item;
  float logprob;
};

}  // namespace podium::runtime
