// A stage of a run: all that is said of it, in one place. stages.cc holds the table of them; the
// runner, --until, --help, the report's curves and rows and `podium eval` read the table.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/options.h"
#include "podium/data/dataset.h"
#include "podium/data/split_options.h"
#include "podium/pipeline/pipeline_options.h"
#include "podium/pipeline/stage_runner.h"

namespace podium::pipeline {

struct PipelineRequest {
  fs::path data, out;
  fs::path trainer;      // podium-train; empty: beside this program
  std::string until;     // last stage to run; empty: all
  bool retrain = false;  // replace finished stages whose options or data have changed
  PipelineOptions options;
};

// What all stages share. Immutable while stages run.
struct RunContext {
  const PipelineRequest& request;
  const data::Dataset& dataset;
  const data::Split& split;
  const StageRunner& runner;
  int threads;

  const PipelineOptions& options() const { return request.options; }
  uint64_t seed() const { return uint64_t(request.options.seed); }
  fs::path dir(const std::string& stage) const { return runner.dir(stage); }
  fs::path model(const std::string& stage) const { return runner.dir(stage) / "model"; }
};

struct Stage;

// One execution of a stage.
struct StageRun {
  const RunContext& run;
  const Stage& stage;
  const std::vector<Stage>& table;  // the stages of this run
  fs::path result, work;            // see StageDirs
};

struct Stage {
  std::string name;
  std::string help = {};                 // one line, for --help
  std::vector<std::string> inputs = {};  // earlier stages whose results it reads
  OptionList options = {};               // those that its result depends on, the seed aside
  Json also = Json::object();            // what else it depends on
  std::string off = {};                  // why a run has no such stage; empty: it has
  // Fills StageRun::result. Returns the peak memory of a child process in MiB, 0 without one.
  std::function<double(const StageRun&)> body = {};
  std::string curve = {};  // the report's name for model/metrics.jsonl; empty: none
  bool results = false;    // it writes valid.json and test.json (eval::write_results): report rows
  std::string policy =
      {};  // its examples.json holds answers of this row of the report; empty: none
  // What of the finished stage is shown in the run's own directory; done again in every run.
  std::function<void(const RunContext&, const fs::path& dir)> publish = {};
};

}  // namespace podium::pipeline
