// Decoding by all processes of a group: each answers its share of the slates, all get all answers.
#pragma once

#include <span>
#include <vector>

#include "podium/runtime/engine.h"
#include "podium/train/process_group.h"

namespace podium::train {

struct SharedDecode {
  const runtime::Engine& engine;
  const rerank::PromptContext& context;
  int threads;  // of each process
  const ProcessGroup& group;

  // As Engine::decode, on every rank. No deadlines.
  std::vector<runtime::Rollout> operator()(std::span<const rerank::Slate> slates,
                                           const runtime::DecodeOptions& options) const;
};

}  // namespace podium::train
