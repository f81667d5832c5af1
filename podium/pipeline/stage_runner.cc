#include "podium/pipeline/stage_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/pipeline/process.h"

namespace podium::pipeline {
namespace {

constexpr int kStageVersion = 1;

}  // namespace

StageRunner::StageRunner(fs::path out, std::string root_key)
    : out_(std::move(out)), root_key_(std::move(root_key)), timings_(Json::array()) {
  const fs::path file = out_ / "timings.json";
  if (fs::exists(file)) timings_ = read_json(file);
}

std::string StageRunner::key_of(const StageRequest& stage) const {
  std::string text =
      fmt::format("{}\n{}\n{}\n{}\n", kStageVersion, root_key_, stage.name, stage.options);
  for (const std::string& input : stage.inputs) {
    const auto found = keys_.find(input);
    PODIUM_CHECK(found != keys_.end());
    text += found->second + "\n";
  }
  return sha256(text);
}

bool StageRunner::finished(const StageRequest& stage, const std::string& key) const {
  if (!fs::exists(dir(stage.name) / "manifest.json")) return false;
  const Json content = artifact::read_manifest(dir(stage.name), "stage", kStageVersion);
  return content.value("key", "") == key;
}

// Leftovers of other options must not be resumed.
fs::path StageRunner::prepare_work(const StageRequest& stage, const std::string& key) const {
  const fs::path work = out_ / "work" / stage.name;
  const fs::path stamp = work / "key";
  if (!fs::exists(stamp) || read_file(stamp) != key) {
    fs::remove_all(work);
    fs::create_directories(work);
    write_file_atomic(stamp, key);
  }
  return work;
}

fs::path StageRunner::run(const StageRequest& stage,
                          const std::function<double(const StageDirs&)>& body) {
  const std::string key = key_of(stage);
  keys_[stage.name] = key;
  if (finished(stage, key)) {
    log_info(fmt::format("stage {:<14} done already", stage.name));
    return dir(stage.name);
  }
  if (interrupted()) throw Error("interrupted", "run the same command to resume");
  log_info(fmt::format("stage {}", stage.name));
  const auto start = std::chrono::steady_clock::now();
  reset_peak_memory();
  const fs::path work = prepare_work(stage, key);
  AtomicDir result(dir(stage.name));
  const double child_mb = body({result.path(), work});
  artifact::write_manifest(result.path(), "stage", kStageVersion,
                           {{"stage", stage.name}, {"key", key}});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  record(stage.name, took.count(), std::max(child_mb, peak_memory_mb()));
  result.commit();
  fs::remove_all(work);
  return dir(stage.name);
}

void StageRunner::record(const std::string& name, double seconds, double peak_mb) {
  log_info(fmt::format("stage {:<14} {:.1f} s, peak {:.0f} MiB", name, seconds, peak_mb));
  const Json row = {{"stage", name},
                    {"seconds", std::round(seconds * 10) / 10},
                    {"peak_mb", std::round(peak_mb)}};
  const auto found = std::find_if(timings_.begin(), timings_.end(),
                                  [&](const Json& r) { return r.value("stage", "") == name; });
  if (found != timings_.end()) {
    *found = row;
  } else {
    timings_.push_back(row);
  }
  write_json_atomic(out_ / "timings.json", timings_);
}

std::vector<std::pair<std::string, double>> StageRunner::timings() const {
  std::vector<std::pair<std::string, double>> all;
  for (const Json& row : timings_) {
    if (keys_.contains(row.value("stage", ""))) all.emplace_back(row["stage"], row["seconds"]);
  }
  return all;
}

}  // namespace podium::pipeline
