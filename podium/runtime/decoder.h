// Decoding in a running batch (continuous batching, Yu et al. 2022, "Orca"): requests of unequal
// length join it between two forward passes and leave it when they are answered. One step:
//
//   gather       new tokens of every lane that answers, then parts of prompts, as chunks
//   forward      one pass of the model over all chunks
//   distribute   each lane gets the state that it chooses from; jobs move on (job.h)
//   choose       each lane its next token, from the names left or from the whole vocabulary
//   retire       jobs whose lanes are all done are answered, and leave
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "podium/runtime/forward.h"
#include "podium/runtime/lane.h"

namespace podium::runtime {

class Job;

struct BatchOptions {
  size_t lanes = 8;  // rollouts under way above which no request joins
  // Of one forward pass: a long prompt is read in parts of what the rollouts leave of these, so
  // that it does not hold them up for long. With more, a layer's rows leave the second-level cache.
  size_t pass_tokens = 128;
  std::function<Clock::time_point()> now = Clock::now;
};

// The batch of one thread. What shares a rollout's batch does not change its logits: the kernels
// add up each row of a product in the same order, however many there are.
class RunningBatch {
 public:
  RunningBatch(const Policy& policy, const BatchOptions& options);
  ~RunningBatch();
  RunningBatch(const RunningBatch&) = delete;

  bool empty() const { return jobs_.empty(); }
  bool has_room() const;

  // Joins at the next step. A request that cannot be answered is done at once, with what was
  // thrown: its prompt and answer may exceed the model's positions. Throws nothing.
  void add(Request request);

  // One forward pass for all; calls done of those that it answers, of those past their deadline and
  // of those that failed. When it throws (out of memory), the batch can only fail().
  // Once prompts are read, allocates nothing but pages that the pool has not got, if as many
  // rollouts as now have been under way before.
  void step();

  // Ends every request with an error.
  void fail(const std::exception_ptr& error);

 private:
  struct Turn {  // a lane's in this pass
    Job* job;
    Lane* lane;
    const float* state;   // [hidden]
    const float* logits;  // [vocab]; null where names are chosen
  };
  struct Reading {  // a prompt's part of this pass
    Job* job;
    size_t chunks;
  };

  void end_late();
  void gather();
  void distribute(std::span<const float> states);
  void compute_logits();
  void choose();
  void retire();

  const Policy& policy_;
  BatchOptions options_;
  std::vector<std::unique_ptr<Job>> jobs_;  // in order of arrival
  std::vector<Chunk> chunks_;               // of one pass: the turns', then the readings'
  std::vector<Turn> turns_;                 // first those of lanes with a chunk
  std::vector<Reading> reading_;
  Workspace work_;
  ChoiceSpace choice_;
  std::vector<float> free_states_, logits_;  // of turns that choose from the whole vocabulary
};

}  // namespace podium::runtime
