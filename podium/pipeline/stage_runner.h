// The stages of a run: each a directory that appears whole or not at all, skipped when its options
// and inputs have not changed.
//
//   OUT/stages/NAME/   the result; manifest.json (kind "stage") holds its key and its files' hashes
//   OUT/work/NAME/     checkpoints of an unfinished stage
//   OUT/timings.json   seconds and peak memory of every stage, as last run
//
// key(stage) = sha256(name, version, options, key of each input): as every stage is a
// deterministic function of these, an equal key means an equal result.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::pipeline {

struct StageRequest {
  std::string name;
  std::string options;              // text of all options that the result depends on
  std::vector<std::string> inputs;  // names of earlier stages
};

struct StageDirs {
  fs::path result;  // to be filled; renamed to OUT/stages/NAME when the body returns
  fs::path work;    // survives a kill
};

class StageRunner {
 public:
  // root_key stands for what the first stages read (dataset, program version).
  StageRunner(fs::path out, std::string root_key);

  // Runs body unless the stage is there already; returns its directory. The body may return the
  // peak memory of a child in MiB, else 0.
  fs::path run(const StageRequest& stage, const std::function<double(const StageDirs&)>& body);

  fs::path dir(const std::string& name) const { return out_ / "stages" / name; }
  const fs::path& out() const { return out_; }
  // Seconds of every stage, in order of execution.
  std::vector<std::pair<std::string, double>> timings() const;

 private:
  std::string key_of(const StageRequest& stage) const;
  bool finished(const StageRequest& stage, const std::string& key) const;
  fs::path prepare_work(const StageRequest& stage, const std::string& key) const;
  void record(const std::string& name, double seconds, double peak_mb);

  fs::path out_;
  std::map<std::string, std::string> keys_;  // of stages run or skipped so far
  std::string root_key_;
  Json timings_;  // [{stage, seconds, peak_mb}]
};

}  // namespace podium::pipeline
