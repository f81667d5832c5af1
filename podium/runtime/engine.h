// CPU inference of a policy: prefill with KV cache, decoding under the permutation grammar, many
// sequences in one batch. No LibTorch.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "podium/base/files.h"
#include "podium/kernels/packed_matrix.h"
#include "podium/rerank/model_spec.h"
#include "podium/runtime/policy.h"
#include "podium/runtime/prefix_cache.h"
#include "podium/runtime/types.h"
#include "podium/sid/trie.h"

namespace podium::runtime {

// What policies are served in, and therefore evaluated in. int8 costs no quality that could be
// measured (docs/performance.md).
inline constexpr kernels::Precision kServedPrecision = kernels::Precision::kInt8;

struct EngineOptions {
  kernels::Precision precision = kernels::Precision::kFp32;
  // Memory for what was read before; 0: nothing is kept.
  size_t prefix_bytes = 0;  // users' histories
  size_t item_bytes = 0;    // items' blocks
};

// Immutable and thread-safe; sequences are spread over `threads`.
class Engine {
 public:
  // A Hugging Face directory or a GGUF file: see checkpoint.h.
  static Engine open(const fs::path& path, const EngineOptions& options = {});
  // Weights that live elsewhere, e.g. in the trainer. Embeddings and norms must outlive the engine,
  // which packs copies of the others.
  Engine(const rerank::ModelSpec& spec, const WeightMap& weights,
         const EngineOptions& options = {});
  Engine(Engine&&) noexcept;
  ~Engine();

  const rerank::ModelSpec& spec() const;
  CacheStats prefix_stats() const;
  CacheStats item_stats() const;
  EngineParts parts() const;

  // Logits of every position of one sequence, each of which sees all before it, [tokens, vocab]:
  // the slow path, for parity tests.
  std::vector<float> logits(std::span<const TokenId> tokens) const;

  // samples rollouts a slate, in order of slates: result[i * samples + s]. For requests that arrive
  // one by one see scheduler.h.
  std::vector<Rollout> decode(const rerank::PromptContext& context,
                              std::span<const rerank::Slate> slates, const DecodeOptions& options,
                              int threads) const;

  // Generative retrieval: the next items of histories (oldest first), as the policy spells them
  // after build_sequence(): see beam.h. The trie is of the context's SIDs. result[i] belongs to
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
