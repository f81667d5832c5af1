// Jobs of training stages in tests, how they are killed, and slates to learn from.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/rerank/test_world.h"
#include "podium/train/policy_data.h"

namespace podium::train {

inline StageJob fresh_job(const std::string& name, double checkpoint_seconds = 1e9) {
  const fs::path work = scratch_dir(name);
  return {.seed = 5,
          .threads = 2,
          .work = work,
          .fingerprint = name,
          .checkpoint_seconds = checkpoint_seconds};
}

// A shape that trains in no time.
inline rerank::ModelSpec small_spec(const rerank::TestWorld& world) {
  rerank::ModelSpec spec;
  spec.vocab = world.tokenizer().vocab();
  spec.hidden = 32;
  spec.layers = 2;
  spec.heads = 2;
  spec.kv_heads = 1;
  spec.head_dim = 16;
  spec.ffn = 64;
  return spec;
}

// Of a stage that is killed between two steps: the checkpoint is of the step before, whose row of
// the log is there already.
inline std::function<bool()> killed_at(uint64_t poll) {
  return [poll, polls = uint64_t(0)]() mutable {
    if (++polls == poll) throw std::runtime_error("killed");
    return false;
  };
}

// Whose first number says which candidate the user will choose.
inline rerank::Slate numbered_slate(const rerank::TestWorld& world, Rng& rng, int k) {
  rerank::Slate slate = world.described_slate(rng, k);
  const size_t chosen = rng.below(slate.candidates.size());
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    slate.candidates[i].gain = i == chosen ? 1 : 0;
    slate.candidates[i].numbers[0] = i == chosen ? 1.0F : -1.0F;
  }
  return slate;
}

}  // namespace podium::train
