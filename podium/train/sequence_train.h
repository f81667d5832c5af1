// Fitting sequence models: sampled softmax with logQ correction (Bengio and Senecal 2008) over all
// positions, negatives shared by a batch, batches of sequences of like length.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
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
                                               const rerank::SequenceOptions& options,
                                               uint64_t seed, int epoch);

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

// Mean loss over a batch's positions, with
//   -log(exp(s_pos) / (exp(s_pos) + sum_j exp(s_j - log(n q_j)))),
// j over the n negatives, those equal to the position's own target left out: an importance-sampled
// estimate of the full softmax (without logq: of its unweighted form).
torch::Tensor sampled_softmax_loss(const torch::Tensor& hidden,      // [positions, dim]
                                   const torch::Tensor& positive,    // [positions, dim]
                                   const torch::Tensor& negative,    // [negatives, dim]
                                   const torch::Tensor& log_nq,      // [negatives]
                                   const torch::Tensor& collision);  // [positions, negatives] bool

struct SequenceFit {
  rerank::SequenceOptions options;
  int epochs = 0;
  uint64_t seed = 0;
  fs::path checkpoint;  // empty: none
  std::string fingerprint;
  double checkpoint_seconds = 20;
  // Called after every epoch (0-based) with its mean loss.
  std::function<void(int epoch, double loss)> after_epoch = nullptr;
};

// Trains in place. Resumes from the checkpoint when there is one; leaves it there (the caller
// removes it once the result is written).
void fit_sequence_model(SequenceModelImpl& model, const data::View& fit,
                        const SequenceFit& settings);

struct RankMetrics {
  double recall5 = 0, recall10 = 0, ndcg5 = 0, ndcg10 = 0;
};

// Full ranking over the catalogue by dot product, seen items removed, ties by ascending item index.
RankMetrics evaluate_sequence_model(SequenceModelImpl& model, const data::Dataset& dataset,
                                    std::span<const data::Target> targets);

}  // namespace podium::train
