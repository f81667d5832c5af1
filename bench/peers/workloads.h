// The re-ranking workloads: which policies answer which slates.
#pragma once

#include <string>
#include <vector>

#include "bench/peers/peer.h"
#include "bench/slate_world.h"

namespace podium::bench {

struct SlateJob {
  const char* size;
  size_t candidates;
  int trace;  // tokens; 0: verbalised, by the logits of the answer's first name

  std::string file() const {
    return fmt::format("{}/k{}{}.json", size, candidates, trace > 0 ? "-trace" : "");
  }
  std::string name() const {
    return fmt::format("{} K={}{}", size, candidates, trace > 0 ? " trace" : "");
  }
};

constexpr size_t kShownHistory = 50, kSlates = 32;
constexpr SlateJob kJobs[] = {{"small", 10, 0}, {"small", 50, 0},   {"base", 10, 0},
                              {"base", 50, 0},  {"small", 10, 130}, {"base", 10, 130}};

inline std::vector<rerank::Slate> slates_of(const World& world, const SlateJob& job) {
  std::vector<rerank::Slate> slates;
  Rng rng(2);
  for (size_t i = 0; i < kSlates; ++i) {
    slates.push_back(world.slate(rng, kShownHistory, job.candidates));
  }
  return slates;
}

inline rerank::ModelSpec spec_of(const World& world, const char* size) {
  return rerank::model_spec(size, int(world.tokenizer.vocab()));
}

}  // namespace podium::bench
