// `podium train`: a dataset to a trained, measured and packed funnel, by the stages of stages.cc.
// Each is a directory OUT/stages/NAME that appears whole or not at all; see stage_runner.h.
//
//   OUT/options.toml   every option of the last run, a file for --config
//   OUT/report.json    and report.html, results.json, bundle/: of the stages of these names
#pragma once

#include <string>

#include "podium/base/json.h"
#include "podium/pipeline/stage.h"

namespace podium::pipeline {

// Checks every option, then runs what is missing, in order. Returns the report (null when `until`
// stopped before it). Throws Error before anything is replaced when finished stages would be run
// again with other options or data and request.retrain is not set; and when a stage fails or is
// interrupted: the same request goes on from there.
Json run_pipeline(const PipelineRequest& request);

std::string report_table(const Json& report);  // for the terminal

// The options that a run directory was last trained with; the defaults where it does not say.
PipelineOptions options_of_run(const fs::path& run);

}  // namespace podium::pipeline
