#include "podium/pipeline/stage_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "podium/artifact/manifest.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/temporary_dir.h"
#include "podium/pipeline/process.h"

namespace podium::pipeline {
namespace {

constexpr int kStageVersion = 1;
constexpr const char* kRecord = "stage.json";

std::string shown(const Json& object, const std::string& key) {
  return object.contains(key) ? object.at(key).dump() : "none";
}

Json part(const Json& record, const char* name) {
  return record.contains(name) && record.at(name).is_object() ? record.at(name) : Json::object();
}

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

// What differs between the records of a stage then and now, one line an option.
void add_changes(const Json& before, const Json& now, std::vector<std::string>& changes) {
  const Json old_root = part(before, "root"), root = part(now, "root");
  if (old_root.empty()) return add_once(changes, "made by an older podium");
  for (const auto& [key, value] : root.items()) {
    if (old_root.value(key, Json()) == value) continue;
    add_once(changes, key == "data" ? "the data set: another before"
                                    : fmt::format("podium's stages: {} {} before, {} now", key,
                                                  shown(old_root, key), value.dump()));
  }
  const Json old_options = part(before, "options"), options = part(now, "options");
  Json all = old_options;
  all.update(options);
  for (const auto& [key, value] : all.items()) {
    const std::string was = shown(old_options, key), is = shown(options, key);
    if (was != is) add_once(changes, fmt::format("{}: {} before, {} now", key, was, is));
  }
}

}  // namespace

StageRunner::StageRunner(fs::path out, Json root)
    : out_(std::move(out)), root_(std::move(root)), timings_(Json::array()) {
  const fs::path file = out_ / "timings.json";
  if (fs::exists(file)) timings_ = read_json(file);
}

std::string StageRunner::key_of(const StageRequest& stage, const Keys& keys) const {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n", kStageVersion, root_.dump(), stage.name,
                                 stage.options.dump());
  for (const std::string& input : stage.inputs) {
    const auto found = keys.find(input);
    PODIUM_CHECK(found != keys.end());
    text += found->second + "\n";
  }
  return sha256(text);
}

Json StageRunner::record_of(const StageRequest& stage, const std::string& key) const {
  return {{"stage", stage.name}, {"key", key}, {"root", root_}, {"options", stage.options}};
}

Json StageRunner::finished(const std::string& name) const {
  if (!fs::exists(dir(name) / "manifest.json")) return nullptr;
  return artifact::read_manifest(dir(name), "stage", kStageVersion);
}

Json StageRunner::begun(const std::string& name) const {
  const fs::path file = work_dir(name) / kRecord;
  return fs::exists(file) ? read_json(file) : Json();
}

StagePlan StageRunner::plan(const std::vector<StageRequest>& stages) const {
  StagePlan plan;
  Keys keys;
  for (const StageRequest& stage : stages) {
    const std::string key = keys[stage.name] = key_of(stage, keys);
    const Json whole = finished(stage.name);
    const Json before = whole.is_null() ? begun(stage.name) : whole;
    if (before.is_null()) {
      plan.missing.push_back(stage.name);
    } else if (before.value("key", "") == key) {
      (whole.is_null() ? plan.missing : plan.done).push_back(stage.name);
    } else {
      plan.again.push_back(stage.name);
      add_changes(before, record_of(stage, key), plan.changes);
      if (plan.changes.empty()) {  // a stage that it reads came or went
        plan.changes.push_back(stage.name + " reads other stages than before");
      }
    }
  }
  return plan;
}

// Leftovers of other options must not be resumed.
fs::path StageRunner::prepare_work(const StageRequest& stage, const std::string& key) const {
  const fs::path work = work_dir(stage.name);
  const Json before = begun(stage.name);
  if (before.is_null() || before.value("key", "") != key) {
    fs::remove_all(work);
    fs::create_directories(work);
    write_json_atomic(work / kRecord, record_of(stage, key));
  }
  return work;
}

fs::path StageRunner::run(const StageRequest& stage,
                          const std::function<double(const StageDirs&)>& body) {
  const std::string key = key_of(stage, keys_);
  keys_[stage.name] = key;
  const Json whole = finished(stage.name);
  if (!whole.is_null() && whole.value("key", "") == key) {
    log_info(fmt::format("stage {:<14} done already", stage.name));
    recover_dir(dir(stage.name));  // killed when it was in place, before all else was away
    fs::remove_all(work_dir(stage.name));
    return dir(stage.name);
  }
  stop_if_interrupted("run the same command to resume");
  log_info(fmt::format("stage {}", stage.name));
  const auto start = std::chrono::steady_clock::now();
  reset_peak_memory();
  const fs::path work = prepare_work(stage, key);
  artifact::AtomicDir result(dir(stage.name), "stage");
  const double child_mb = body({result.path(), work});
  artifact::write_manifest(result.path(), "stage", kStageVersion, record_of(stage, key));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  record_time(stage.name, took.count(), std::max(child_mb, peak_memory_mb()));
  result.commit();
  fs::remove_all(work);
  return dir(stage.name);
}

void StageRunner::record_time(const std::string& name, double seconds, double peak_mb) {
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

double StageRunner::last_seconds(const std::string& name) const {
  for (const Json& row : timings_) {
    if (row.value("stage", "") == name) return row.value("seconds", -1.0);
  }
  return -1;
}

}  // namespace podium::pipeline
