// Fitting an RQ-VAE to a catalogue: item vectors in, semantic IDs out.
#pragma once

#include <span>

#include "podium/data/split.h"
#include "podium/sid/codebook.h"
#include "podium/train/policy_data.h"
#include "podium/train/rqvae_options.h"

namespace podium::train {

struct RqVaeInput {
  std::span<const float> vectors;  // [items, dim]
  size_t dim = 0;
  const data::View& histories;  // for the contrastive loss: who follows whom
  sid::SidOptions sid;          // levels, codes, random_last_level; iterations of the k-means start
  RqVaeOptions options;
};

// Resumes from job.work, whose metrics.done.jsonl then holds the learning curve, a row an epoch. A
// function of job.seed whatever the thread count: threads share k-means and the last assignment,
// the steps are too small to share. With random_last_level all levels but the last have codebooks.
// Throws Error when it diverges (divergence.h).
sid::SidModel fit_rqvae(const RqVaeInput& input, const StageJob& job);

}  // namespace podium::train
