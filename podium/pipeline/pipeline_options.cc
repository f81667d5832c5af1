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
  // A list that a shop may have today, and what GR2 makes of it.
  options.k = 20;
  options.upstream.order = "item-to-item";
  options.midtrain.steps = 100;
  options.sft.epochs = 4;
  options.sft.label_weight = 1;
  options.sft.dropout = 0.2;
  options.sft.no_trace_share = 0.9;
  options.rl.steps = 10;
  options.rl_fast.steps = 10;
}

}  // namespace podium::pipeline
