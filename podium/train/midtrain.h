// Tokenised mid-training (docs/gr2.md section 3): next-token prediction over documents of SIDs and
// text (midtrain_source.h).
#pragma once

#include "podium/base/json.h"
#include "podium/train/midtrain_source.h"
#include "podium/train/policy_data.h"

namespace podium::train {

// Trains in place, resumes from job.work. Returns what stats.json says: steps, tokens, and the mean
// loss of the first and last twentieth. Throws Error on options out of range.
Json midtrain(Qwen3& model, const MidtrainSource& source, const MidtrainOptions& options,
              const StageJob& job);

}  // namespace podium::train
