#include "podium/pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/file_lock.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/data/content_key.h"
#include "podium/data/simulated_clicks.h"
#include "podium/eval/report.h"
#include "podium/pipeline/process.h"
#include "podium/pipeline/run_dir.h"
#include "podium/pipeline/stages.h"

namespace podium::pipeline {
namespace {

// Raise when a stage's code changes its result, so that older results are not taken for new ones.
constexpr int kPipelineVersion = 7;
constexpr const char* kOptions = "options.toml";

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The stages of this run: up to `until`, without those that its options leave out.
std::vector<Stage> stages_of(PipelineRequest& request) {
  std::vector<Stage> stages;
  std::vector<std::string> names;
  for (Stage& stage : stage_table(request.options)) {
    const bool last = stage.name == request.until;
    if (!stage.off.empty()) {
      if (!last) continue;
      throw Error(fmt::format("this run has no stage '{}': {}", stage.name, stage.off),
                  "change that option, or name another stage");
    }
    std::erase_if(stage.inputs, [&](const std::string& input) { return !contains(names, input); });
    names.push_back(stage.name);
    stages.push_back(std::move(stage));
    if (last) return stages;
  }
  if (request.until.empty()) return stages;
  throw Error(fmt::format("no stage is called '{}'", request.until), "one of: " + stage_names());
}

StageRequest request_of(const Stage& stage, const PipelineOptions& options) {
  Json values = stage.options.values();
  values["seed"] = options.seed;
  values.update(stage.also);
  return {stage.name, std::move(values), stage.inputs};
}

void refuse_retraining(const StagePlan& plan, const PipelineRequest& request) {
  if (plan.again.empty() || request.retrain) return;
  throw Error(
      fmt::format("{}; these stages run again: {}", fmt::join(plan.changes, "; "),
                  fmt::join(plan.again, ", ")),
      fmt::format(
          "--retrain replaces them; the options of before are in {}; or choose another --out",
          (request.out / kOptions).string()),
      request.out.string());
}

// What the rewards are about and the catalogue lacks, told before hours of training.
void check_rewards(const PipelineOptions& options, const data::Dataset& dataset) {
  for (const std::string& text : {options.rl.rank, options.rl_fast.rank}) {
    rerank::RewardSpec spec = rerank::parse_reward(text);
    if (!spec.needs_facts()) continue;
    std::erase_if(spec.terms, [](const auto& term) {  // the run makes the vectors
      return term.term == rerank::RewardTerm::kDistance;
    });
    const data::View none{&dataset, {}};
    const data::ItemFacts facts = data::item_facts(none);
    const rerank::SlateClicks clicks;
    const bool simulated =
        options.split.protocol == "impressions" && data::SimulatedClicks::knows(dataset);
    const rerank::SlateReward reward({.spec = spec}, &facts, simulated ? &clicks : nullptr);
  }
}

// What stands where a stage will write, told before the first one starts.
void check_places(const StagePlan& plan, const std::vector<Stage>& stages,
                  const StageRunner& runner) {
  for (const Stage& stage : stages) {
    if (!contains(plan.done, stage.name)) artifact::check_output(runner.dir(stage.name), "stage");
  }
}

// "stages to come: 3 of 19: ...; about 8 min, by this directory's last run"
void announce(const StagePlan& plan, const std::vector<Stage>& stages, const StageRunner& runner) {
  std::vector<std::string> coming;
  double seconds = 0;
  bool known = true;
  for (const Stage& stage : stages) {
    if (contains(plan.done, stage.name)) continue;
    coming.push_back(stage.name);
    const double last = runner.last_seconds(stage.name);
    known = known && last >= 0;
    seconds += std::max(0.0, last);
  }
  if (coming.empty()) return log_info("every stage is done already");
  std::string text = fmt::format("{} of {} stages to come: {}", coming.size(), stages.size(),
                                 fmt::join(coming, ", "));
  if (known) {
    text += seconds < 90 ? fmt::format("; about {:.0f} s", std::max(1.0, seconds))
                         : fmt::format("; about {:.0f} min", seconds / 60);
    text += ", by their last run here";
  }
  log_info(text);
}

}  // namespace

Json run_pipeline(const PipelineRequest& given) {
  PipelineRequest request = given;  // the stages point into its options
  const OptionList list(request.options);
  list.check();
  const std::vector<Stage> stages = stages_of(request);
  claim_run(request.out, request.data);
  const FileLock lock(request.out / ".lock");
  const data::Dataset dataset = data::Dataset::open(request.data);
  check_rewards(request.options, dataset);
  StageRunner runner(request.out,
                     {{"version", kPipelineVersion}, {"data", data::content_key(request.data)}});
  std::vector<StageRequest> requests;
  for (const Stage& stage : stages) requests.push_back(request_of(stage, request.options));
  const StagePlan plan = runner.plan(requests);
  refuse_retraining(plan, request);
  check_places(plan, stages, runner);
  write_file_atomic(request.out / kOptions, list.to_toml());
  announce(plan, stages, runner);

  const data::Split split = data::make_split(dataset, request.options.split);
  const int threads = request.options.threads > 0 ? request.options.threads : default_threads();
  const RunContext run{request, dataset, split, runner, threads};
  for (size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const fs::path dir = runner.run(requests[i], [&](const StageDirs& dirs) {
      return stage.body({run, stage, stages, dirs.result, dirs.work});
    });
    if (stage.publish) stage.publish(run, dir);
  }
  const bool reported = std::any_of(stages.begin(), stages.end(),
                                    [](const Stage& stage) { return stage.name == "report"; });
  return reported ? eval::read_report(runner.dir("report")) : Json();
}

std::string report_table(const Json& report) { return eval::render_table(report); }

PipelineOptions options_of_run(const fs::path& run) {
  PipelineOptions options;
  if (fs::exists(run / kOptions)) OptionList(options).load_toml(run / kOptions);
  return options;
}

}  // namespace podium::pipeline
