// What the policy's stages read: the world of tokens and slates.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/rerank/prompt_world.h"
#include "podium/sid/codebook.h"
#include "podium/train/checkpoint.h"
#include "podium/train/process_group.h"
#include "podium/train/slate_example.h"

namespace podium::train {

// What every stage's loop is told.
struct StageJob {
  uint64_t seed = 1;
  int threads = 1;
  fs::path work;  // checkpoint and metrics; exists, the same for all processes
  std::string fingerprint;
  double checkpoint_seconds = 20;
  std::function<bool()> stop = interrupted;  // see CheckpointSettings
  ProcessGroup group = {};                   // that trains
  torch::Device device = torch::kCPU;        // where gradients are computed

  CheckpointSettings checkpoints() const {
    return {work / "checkpoint.safetensors", fingerprint, checkpoint_seconds, stop, group};
  }
};

struct SlateSets {
  std::vector<rerank::Slate> train, valid;  // every slate has positives and negatives
};
// valid_dir empty: a tenth of the slates, chosen by a hash of their ids, validates.
SlateSets read_slate_sets(const fs::path& dir, const fs::path& valid_dir);

// With probability `share` the slate with its candidates in random order, else as it is.
rerank::Slate maybe_shuffled(const rerank::Slate& slate, double share, Rng& rng);

// The slate with candidates of equal evidence in random order among the places that they have.
rerank::Slate equals_permuted(const rerank::Slate& slate, Rng& rng);

// The policy of `dir` as a stage starts with it: made for slates of these numbers (for_slates).
// Throws Error when its vocabulary is not the world's.
Qwen3 start_policy(const fs::path& dir, const rerank::PromptWorld& world, const SlateSets& slates,
                   uint64_t seed);

// A permutation of [0, n): a function of its arguments alone.
std::vector<size_t> permutation(size_t n, uint64_t seed, uint64_t epoch);

}  // namespace podium::train
