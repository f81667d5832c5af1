// The batches that sequence models are fitted on: sequences of like length, and what is drawn for
// them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "podium/data/split.h"
#include "podium/train/sequence_model.h"

namespace podium::train {

// A piece of a user's history, [begin, end) of the user's fitted events: inputs are all but its
// last event, targets all but its first.
struct Window {
  uint32_t user, begin, end;
};

// Every event but a user's first is a target exactly once. Sequences longer than max_len inputs
// are cut into windows at an offset that changes with the epoch.
std::vector<Window> epoch_windows(const data::View& fit, int max_len, uint64_t seed, int epoch);

// Batches of windows of like length, at most batch_tokens padded positions each (one window at
// least), in an order that is a function of (seed, epoch).
std::vector<std::vector<Window>> epoch_batches(const data::View& fit,
                                               const SequenceOptions& options, uint64_t seed,
                                               int epoch);

// The proposal of the sampled softmax: q = share * popularity + (1 - share) * uniform.
class NegativeSampler {
 public:
  NegativeSampler(const data::View& fit, double popularity_share);
  // n items, drawn with replacement; a function of (seed, step) alone.
  std::vector<int64_t> draw(size_t n, uint64_t seed, int64_t step) const;
  double log_q(int64_t item) const { return log_q_[item]; }

 private:
  std::vector<double> cumulative_, log_q_;
};

// A batch of windows.
struct Batch {
  Tokens tokens;         // the windows' inputs
  torch::Tensor target;  // [rows, time] the event after each
  torch::Tensor before;  // [rows] with candidates: the column of the event that they stand behind
};
Batch make_batch(const data::View& fit, const std::vector<Window>& windows);

// Behind every row: one of its targets, drawn at random, and then `negatives` drawn items, all in
// that target's place. A function of (seed, step) alone.
void add_candidates(Batch& batch, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                    int64_t step);

// The histories before the targets, of which the newest max_len events.
Tokens histories_before(const data::Dataset& dataset, std::span<const data::Target> targets,
                        int64_t max_len);

}  // namespace podium::train
