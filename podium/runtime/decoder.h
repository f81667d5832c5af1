// Decoding in a running batch (continuous batching, Yu et al. 2022, "Orca"): requests of unequal
// length join it between two forward passes and leave it when they are answered.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "podium/runtime/engine.h"
#include "podium/runtime/forward.h"

namespace podium::runtime {

// An engine with the prompts that it reads; both must outlive it. Immutable and thread-safe.
struct Policy {
  // Throws Error when the tokenizer has more tokens than the model. Without `traces` none may be
  // asked for.
  Policy(const Engine& engine, const rerank::PromptContext& context, bool traces = true);

  Engine::Parts parts;
  const rerank::PromptContext& context;
  std::vector<TokenId> trace_tokens;  // allowed in a trace; ascending
  std::vector<TokenId> all_tokens;    // of the model
};

// Takes the rollouts [options.samples] of a request, or what went wrong. Must not throw.
using Done = std::function<void(std::vector<Rollout> rollouts, const std::exception_ptr& error)>;

struct Request {
  rerank::Slate slate;
  DecodeOptions options;
  Done done;
};

struct BatchOptions {
  size_t lanes = 8;  // rollouts under way above which no request joins
  // Of one forward pass: a long prompt is read in parts of what the rollouts leave of these, so
  // that it does not hold them up for long. With more, a layer's rows leave the second-level cache.
  size_t pass_tokens = 128;
  std::function<Clock::time_point()> now = Clock::now;
};

struct Job;   // job.h
struct Lane;  // a rollout of a job

// The batch of one thread. What shares a rollout's batch does not change its logits: the kernels
// add up each row of a product in the same order, however many there are.
class RunningBatch {
 public:
  RunningBatch(const Policy& policy, const BatchOptions& options);
  ~RunningBatch();
  RunningBatch(const RunningBatch&) = delete;

  bool empty() const { return jobs_.empty(); }
  bool has_room() const;

  // Joins at the next step. A request that cannot be answered is done at once, with an Error: its
  // prompt and answer may exceed the model's positions.
  void add(Request request);

  // One forward pass for all; calls done of those that it answers and of those past their deadline.
  // Once prompts are read, allocates nothing but pages that the pool has not got, if as many
  // rollouts as now have been under way before.
  void step();

  // Ends every request with an error.
  void fail(const std::exception_ptr& error);

 private:
  struct Turn {
    Lane* lane;
    const float* states;  // [1 + guesses, hidden]: the next token is chosen from the first
    const float* logits;  // [1 + guesses, vocab]; null where names are chosen
  };

  void end_late();
  void gather();
  void distribute(std::span<const float> states);
  void compute_logits();
  void take_turn(const Turn& turn);
  void choose(const Turn& turn, size_t row);
  void choose_name(Lane& lane, const float* state);
  void take(Lane& lane, std::span<const TokenId> tokens, rerank::TokenKind kind);
  bool finished(Lane& lane) const;
  void retire();

  const Policy& policy_;
  BatchOptions options_;
  std::vector<std::unique_ptr<Job>> jobs_;  // in order of arrival
  std::vector<Chunk> chunks_;               // of one pass: of rollouts, then of prompts
  std::vector<Lane*> running_;              // [rollouts' chunks]
  struct Reading {
    Job* job;
    size_t chunks;
  };
  std::vector<Reading> reading_;  // of prompts' chunks
  Rows rows_ = Rows::kLast;
  std::vector<Turn> turns_;
  Workspace work_;
  std::vector<float> free_states_, logits_, values_, scratch_;
};

}  // namespace podium::runtime
