// Jobs of training stages in tests, and how they are killed.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "podium/base/scratch.h"
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

// Of a stage that is killed between two steps: the checkpoint is of the step before, whose row of
// the log is there already.
inline std::function<bool()> killed_at(uint64_t poll) {
  return [poll, polls = uint64_t(0)]() mutable {
    if (++polls == poll) throw std::runtime_error("killed");
    return false;
  };
}

}  // namespace podium::train
