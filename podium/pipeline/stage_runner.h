// The stages of a run: each a directory that appears whole or not at all, skipped when its options
// and inputs have not changed.
//
//   OUT/stages/NAME/   the result; manifest.json (kind "stage") holds its files' hashes and
//                      {"stage", "key", "root", "options"}
//   OUT/work/NAME/     checkpoints of an unfinished stage, and stage.json, the same record
//   OUT/timings.json   seconds and peak memory of every stage, as last run
//
// key(stage) = sha256(name, root, options, key of each input): as every stage is a deterministic
// function of these, an equal key means an equal result.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/json.h"

namespace podium::pipeline {

struct StageRequest {
  std::string name;
  Json options = Json::object();    // all options that the result depends on: {"sasrec.dim": 64}
  std::vector<std::string> inputs;  // names of earlier stages
};

struct StageDirs {
  fs::path result;  // to be filled; renamed to OUT/stages/NAME when the body returns
  fs::path work;    // survives a kill
};

// What a run would do to its directory.
struct StagePlan {
  std::vector<std::string> done;     // stand as they are
  std::vector<std::string> again;    // stand, finished or begun, with other options or inputs
  std::vector<std::string> missing;  // never finished, or begun with the same options
  std::vector<std::string> changes;  // why: "sasrec.epochs: 1 before, 20 now"
};

class StageRunner {
 public:
  // root stands for what the first stages read: {"data": HASH, "version": 4}.
  StageRunner(fs::path out, Json root);

  // Of these stages, in order of execution. Changes nothing. Throws Error on a damaged result.
  StagePlan plan(const std::vector<StageRequest>& stages) const;

  // Runs body unless the stage is there already; returns its directory. The body may return the
  // peak memory of a child in MiB, else 0.
  fs::path run(const StageRequest& stage, const std::function<double(const StageDirs&)>& body);

  fs::path dir(const std::string& name) const { return out_ / "stages" / name; }
  const fs::path& out() const { return out_; }
  // Seconds of every stage that was run or skipped so far.
  std::vector<std::pair<std::string, double>> timings() const;
  // Seconds of a stage when it last ran here; below 0 when it never did.
  double last_seconds(const std::string& name) const;

 private:
  using Keys = std::map<std::string, std::string>;  // by stage
  std::string key_of(const StageRequest& stage, const Keys& keys) const;
  Json record_of(const StageRequest& stage, const std::string& key) const;
  fs::path work_dir(const std::string& name) const { return out_ / "work" / name; }
  Json finished(const std::string& name) const;  // its record; null when there is none
  Json begun(const std::string& name) const;
  fs::path prepare_work(const StageRequest& stage, const std::string& key) const;
  void record_time(const std::string& name, double seconds, double peak_mb);

  fs::path out_;
  Json root_;
  Keys keys_;     // of stages run or skipped so far
  Json timings_;  // [{stage, seconds, peak_mb}]
};

}  // namespace podium::pipeline
