#include "podium/pipeline/pipeline_options.h"

#include <fmt/format.h>

#include "podium/base/error.h"

namespace podium::pipeline {

void apply_preset(const std::string& name, PipelineOptions& options) {
  if (name == "full") return;
  if (name != "demo") {
    throw Error(fmt::format("unknown preset '{}'", name), "use demo or full");
  }
  // Small data: 943 users give too few slates when each gives one.
  options.split.slate_targets = 8;
  options.sasrec.refit_epochs = 6;
  options.midtrain.steps = 400;
  options.rl.steps = 40;
  options.rl_fast.steps = 40;
}

}  // namespace podium::pipeline
