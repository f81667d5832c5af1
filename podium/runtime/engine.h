// CPU inference of a policy: prefill with KV cache, decoding under the permutation grammar, many
// sequences in one batch. No LibTorch.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "podium/base/rng.h"
#include "podium/kernels/packed_matrix.h"
#include "podium/rerank/grammar.h"
#include "podium/rerank/model_spec.h"
#include "podium/rerank/prompt.h"
#include "podium/runtime/prefix_cache.h"
#include "podium/sid/trie.h"

namespace podium::runtime {

using text::TokenId;
using Clock = std::chrono::steady_clock;

struct Model;
class ItemCache;

// Weights by Hugging Face name, fp32, row-major; embeddings and norms must outlive the engine,
// which packs copies of the others.
using Weights = std::map<std::string, std::span<const float>, std::less<>>;

struct EngineOptions {
  kernels::Precision precision = kernels::Precision::kFp32;
  // Memory for what was read before; 0: nothing is kept.
  size_t prefix_bytes = 0;  // users' histories
  size_t item_bytes = 0;    // items' blocks
};

struct DecodeOptions {
  bool with_trace = true;
  int max_trace = 96;       // tokens
  double temperature = 0;   // 0: greedy
  int samples = 1;          // rollouts a prompt (share one prefill)
  bool verbalize = false;   // rank by the logits of the answer's first name (LlamaRec): one pass
                            // over the prompt, instead of one more a name; needs constrained
  bool constrained = true;  // false: free decoding of at most max_tokens, may be invalid
  int max_tokens = 400;
  uint64_t seed = 0;  // rollout i of prompt id: stream seed/id/i, whatever the batching
  // Most tokens that a pass over one rollout guesses ahead (draft.h), to read them together and
  // keep those that were right. The rollouts stay the same, sampled ones too; 0: none.
  int draft = 0;
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
  int guessed = 0, confirmed = 0;       // tokens guessed ahead, and of them right
  bool late = false;  // cut short by the deadline: the names chosen, then the others in the order
                      // of the last name's logits; the slate's order if no name was chosen
};

struct RetrieveOptions {
  int beam = 50;                                      // prefixes kept a level
  int max_history = int(rerank::kSequenceItems) - 1;  // newest items shown
};

struct Retrieved {
  rerank::ItemIndex item;
  float logprob;
};

// Immutable and thread-safe; sequences are spread over `threads`.
class Engine {
 public:
  // What its decoders work with; as long-lived as the engine, wherever that is moved.
  struct Parts {
    const Model& model;
    PagePool& pool;
    PrefixCache* prefixes;  // null: none are kept
    ItemCache* items;       // null: none are kept
  };

  // A Hugging Face directory or a GGUF file: see checkpoint.h.
  static Engine open(const fs::path& path, const EngineOptions& options = {});
  // Weights that live elsewhere, e.g. in the trainer.
  Engine(const rerank::ModelSpec& spec, const Weights& weights, const EngineOptions& options = {});
  Engine(Engine&&) noexcept;
  ~Engine();

  const rerank::ModelSpec& spec() const;
  CacheStats prefix_stats() const;
  CacheStats item_stats() const;
  Parts parts() const;

  // Logits of every position of one sequence, each of which sees all before it, [tokens, vocab]:
  // the slow path, for parity tests.
  std::vector<float> logits(std::span<const TokenId> tokens) const;

  // samples rollouts a slate, in order of slates: result[i * samples + s]. For requests that arrive
  // one by one see scheduler.h.
  std::vector<Rollout> decode(const rerank::PromptContext& context,
                              std::span<const rerank::Slate> slates, const DecodeOptions& options,
                              int threads) const;

  // Generative retrieval: the next items of histories (oldest first), as the policy spells them
  // behind build_sequence(): see beam.h. The trie is of the context's SIDs. result[i] belongs to
  // histories[i]: the unseen items of at most `beam` SIDs, best first.
  std::vector<std::vector<Retrieved>> retrieve(
      const rerank::PromptContext& context, const sid::SidTrie& trie,
      std::span<const std::span<const rerank::ItemIndex>> histories, const RetrieveOptions& options,
      int threads) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace podium::runtime
