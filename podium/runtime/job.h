// A request on its way: its prompt, and the rollouts that share it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "podium/runtime/decoder.h"
#include "podium/runtime/item_cache.h"

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

  // Tokens of the prompt that are neither read nor known.
  size_t unread() const;
  // Appends what the next pass reads of the prompt, at most so many tokens (or one block): the
  // blocks, then, behind all of them, the candidates' names. Returns how many.
  size_t read_next(size_t most, std::vector<Chunk>& chunks);
  // After that pass.
  void advance();

  size_t live() const;  // rollouts

  const Policy& policy;
  Request request;
  rerank::Prompt prompt;  // and, behind its tokens, what the grammar forces in every rollout
  size_t answer = 0;      // most tokens of an answer
  KvCache cache;          // of the prompt, in its order
  std::vector<Rollout> rollouts;
  std::vector<Lane> lanes;

 private:
  struct BlockRead {
    size_t block;
    KvCache cache;
  };

  void open_lane(Lane& lane);
  void find_blocks();
  void list_branches();
  void place_blocks();
  std::span<const TokenId> tokens_of(size_t block) const {
    const rerank::Span& span = prompt.blocks[block];
    return std::span(prompt.tokens).subspan(span.begin, span.size());
  }

  size_t first_block_ = 0;  // the first that the cache did not begin with
  // [the prompt's]; null: not read yet. Empty once they are placed.
  std::vector<std::shared_ptr<const ItemBlock>> blocks_;
  std::vector<BlockRead> block_reads_;  // those not read yet, being read first
  size_t block_reads_now_ = 0;          // of them in the pass
  Branches branches_;                   // of what stands behind the blocks: names, forced tokens
  std::vector<int> positions_;          // of the prompt's tokens, without the forced ones
};

// Sorts indices of values, largest first, equals as they were. Allocates nothing; NaNs do no harm.
void sort_by(std::span<const float> values, std::span<int> indices);

}  // namespace podium::runtime
