// Fitting sequence models: sampled softmax with logQ correction (Bengio and Senecal 2008) over all
// positions, negatives shared by a batch; for models that score candidates by their own state the
// same over those of add_candidates().
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "podium/base/files.h"
#include "podium/base/progress.h"
#include "podium/train/sequence_batch.h"

namespace podium::train {

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
  SequenceOptions options;
  int epochs = 0;
  uint64_t seed = 0;
  fs::path checkpoint;  // empty: none
  std::string fingerprint;
  double checkpoint_seconds = 20;
  std::string rate_option = "learning_rate";  // as errors name it
  std::function<bool()> stop = interrupted;   // see CheckpointSettings
  // Called after every epoch (0-based) with its mean loss.
  std::function<void(int epoch, double loss)> after_epoch = nullptr;
};

// log(n q) of drawn items, in their shape, n of which share a softmax; zeros without the
// correction.
torch::Tensor log_counts(const torch::Tensor& items, int64_t n, const NegativeSampler& sampler,
                         bool logq);

// Trains in place. Resumes from the checkpoint when there is one; leaves it there (the caller
// removes it once the result is written). Throws Error when it diverges (divergence.h).
void fit_sequence_model(SequenceModelImpl& model, const data::View& fit,
                        const SequenceFit& settings);

}  // namespace podium::train
