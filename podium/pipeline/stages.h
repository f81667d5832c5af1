// The table of stages.
#pragma once

#include <string>
#include <vector>

#include "podium/pipeline/stage.h"

namespace podium::pipeline {

// Every stage there is, in order of execution, those that these options leave out included. Points
// into the options, which must outlive it.
std::vector<Stage> stage_table(PipelineOptions& options);

std::string stage_names();  // "sid, sasrec-slates, ...", for messages
std::string stage_help();   // a line a stage: its name and what it does

// RUN/stages/NAME/{SPLIT}.json of every stage that has results there, in the table's order.
std::vector<fs::path> result_files(const fs::path& run, const std::string& split);

}  // namespace podium::pipeline
