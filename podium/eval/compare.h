// What one build, option or day made of a data set beside another: the stages that both have, of
// the same targets, paired over users.
#pragma once

#include <string>
#include <vector>

#include "podium/eval/metrics.h"

namespace podium::eval {

struct ComparedStage {
  std::string stage;
  MetricRow before, now, difference;  // over all targets
};

// now[i] beside before[i], as of several seeds: together, what a user has in all of them is drawn
// together. Stages in the order of now.front(). Throws Error when there are not as many of both, or
// their targets are not the same.
std::vector<ComparedStage> compare(const std::vector<SavedResults>& now,
                                   const std::vector<SavedResults>& before,
                                   const MetricOptions& options, int threads);

Json to_json(const std::vector<ComparedStage>& stages);
std::string render(const std::vector<ComparedStage>& stages);  // for terminals

}  // namespace podium::eval
