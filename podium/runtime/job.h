// A request on its way: its prompt, and the rollouts (lanes) that share it. After begin() a running
// batch (decoder.h) leads it from stage to stage, a forward pass at a time:
//
//   stage           what a pass does                       what moves it on
//   kReadingBlocks  read_next(): blocks that are not known advance(), once all blocks are known
//   kReadingNames   read_next(): names and forced tokens   advance(), once all are read; lanes open
//   kAnswering      every lane chooses its next token      no lane is live: answer() calls done
//
// Two more ways lead from any stage to answer(), as they leave no lane live: end_late(), past the
// deadline, ends the rollouts as they are; fail() takes what a lane or a whole pass has thrown.
//
// The prompt (rerank/prompt.h), which is also the order in the cache:
//
//   beginning | history's items | candidates' items | names | forced tokens
//   \__ a known prefix, or _____/                   |\__ one sequence; branches_ says __/
//   \__ blocks, each read by itself for all users __/     what each of its tokens sees
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "podium/runtime/attention.h"
#include "podium/runtime/item_cache.h"
#include "podium/runtime/lane.h"

namespace podium::runtime {

class Job {
 public:
  enum class Stage { kReadingBlocks, kReadingNames, kAnswering };

  // Moves the request only when it succeeds.
  Job(const Policy& policy, Request&& request) : policy_(policy), request_(std::move(request)) {}

  // Builds the prompt, finds what is known of it, and sets up the lanes with room for their
  // answers. Throws Error when the request cannot be answered, among others because the model has
  // too few positions.
  void begin();

  Stage stage() const { return stage_; }
  Clock::time_point deadline() const { return request_.options.deadline; }
  std::span<Lane> lanes() { return lanes_; }
  size_t live() const;  // lanes that are not done; 0: answered

  // Tokens of the prompt that are neither read nor known.
  size_t unread() const;
  // While it reads: appends what the next pass reads of the prompt, at most so many tokens (or one
  // block). Returns how many.
  size_t read_next(size_t most, std::vector<Chunk>& chunks);
  // After that pass.
  void advance();

  void end_late();
  void fail(const std::exception_ptr& error);
  // Hands out the rollouts, or the error.
  void answer();

 private:
  struct BlockRead {  // a block that is not known, with the sequence that it is read into
    size_t block;
    KvCache cache;
  };

  void check() const;
  size_t answer_room() const;
  void open_lanes();
  void find_blocks();
  void list_branches();
  size_t read_blocks(size_t most, std::vector<Chunk>& chunks);
  size_t read_names(size_t most, std::vector<Chunk>& chunks);
  void keep_blocks();
  void place_blocks();
  void start_answering();
  void describe_names();
  // What is read of tokens may be kept for others: none is the text of an item of this slate only.
  bool lasting(std::span<const TokenId> tokens) const;
  std::span<const TokenId> tokens_of(size_t block) const {
    const rerank::Span& span = prompt_.blocks[block];
    return std::span(prompt_.tokens).subspan(span.begin, span.size());
  }

  const Policy& policy_;
  Request request_;
  Stage stage_ = Stage::kReadingBlocks;
  std::exception_ptr failure_;
  rerank::Prompt prompt_;  // and, after its tokens, what the grammar forces in every rollout
  size_t room_ = 0;        // most tokens of an answer
  KvCache cache_{policy_.parts.pool};  // of the prompt, in its order
  const ItemTexts texts_{policy_.context, request_.slate};
  Candidates candidates_;
  std::vector<Rollout> rollouts_;
  std::vector<Lane> lanes_;  // [rollouts]

  size_t first_block_ = 0;  // the first that the cache did not begin with
  // [the prompt's]; null: not read yet. Empty once they are placed.
  std::vector<std::shared_ptr<const ItemBlock>> blocks_;
  std::vector<BlockRead> block_reads_;
  size_t block_reads_now_ = 0;  // of them in the pass
  Branches branches_;           // of what follows the blocks: names, forced tokens
  std::vector<int> positions_;  // of the prompt's tokens, without the forced ones
};

}  // namespace podium::runtime
