#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/eval/compare.h"
#include "podium/eval/pool.h"
#include "podium/eval/report.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"
#include "podium/shadow/gate.h"
#include "podium/shadow/log_state.h"

namespace podium::cli {
namespace {

struct EvalArguments {
  std::vector<std::string> runs, against;
  std::string bundle, state;
  std::string split = "test";
  eval::MetricOptions metrics;
  int threads = 0;
  bool json = false;

  template <class V>
  void visit(V& v) {
    v("split", split, "the targets", one_of({"valid", "test"}));
    v("k", metrics.k, "candidates a slate; the run's own if not given",
      between(double(rerank::kMinCandidates), double(rerank::kMaxCandidates)));
    v("threads", threads, "threads; 0: every core", between(0, kMostThreads));
    metrics.visit(v);
  }
};

// The metrics' options are the first run's own, where no flag says otherwise.
void set_runs(EvalArguments& a, const std::vector<std::string>& runs) {
  const pipeline::PipelineOptions options = pipeline::options_of_run(runs.front());
  a.runs = runs;
  a.metrics = options.metrics;
  a.metrics.k = options.k;
}

// A whole run's results, or those of the upstream when training stopped there.
std::vector<fs::path> result_files(const fs::path& run, const std::string& split) {
  std::vector<fs::path> files = pipeline::result_files(run, split);
  if (files.empty() && split == "test" && fs::exists(run / "results.json")) {
    files.push_back(run / "results.json");
  }
  if (files.empty()) {
    throw Error("this run has no results yet", "run `podium train` at least --until upstream",
                run.string());
  }
  return files;
}

eval::SavedResults results_of(const fs::path& run, const std::string& split) {
  eval::SavedResults all;
  for (const fs::path& file : result_files(run, split)) {
    eval::SavedResults saved = eval::read_results(file);
    if (all.stages.empty())
      all.targets = std::move(saved.targets);
    else if (saved.targets != all.targets) {
      throw Error("results of other targets", "run `podium train` again", file.string());
    }
    for (auto& stage : saved.stages) all.stages.push_back(std::move(stage));
  }
  eval::sort_stages(all.stages);
  return all;
}

eval::PoolRun pool_run(const fs::path& run, const std::string& split) {
  const fs::path report = run / "stages" / "report";
  if (!fs::exists(report)) {
    throw Error("this run has no report yet", "run `podium train` to the end", run.string());
  }
  const pipeline::PipelineOptions options = pipeline::options_of_run(run);
  return {eval::read_report(report).at("title").get<std::string>(), options.upstream.order,
          size_t(options.k), results_of(run, split)};
}

std::string pooled(const EvalArguments& a, int threads) {
  std::vector<eval::PoolRun> runs;
  for (const std::string& run : a.runs) runs.push_back(pool_run(run, a.split));
  const auto tables = eval::pool(std::move(runs), a.metrics, threads);
  return a.json ? eval::to_json(tables).dump(2) + "\n" : eval::render(tables);
}

std::string compared(const EvalArguments& a, int threads) {
  std::vector<eval::SavedResults> now, before;
  for (const std::string& run : a.runs) now.push_back(results_of(run, a.split));
  for (const std::string& run : a.against) before.push_back(results_of(run, a.split));
  const auto stages = eval::compare(now, before, a.metrics, threads);
  return a.json ? eval::to_json(stages).dump(2) + "\n" : eval::render(stages);
}

std::string single(const EvalArguments& a, int threads) {
  eval::SavedResults results = results_of(a.runs.front(), a.split);
  eval::ReportInput input;
  input.title = fs::path(a.runs.front()).filename().string();
  input.protocol = a.split + " split";
  input.metrics = a.metrics;
  input.order = pipeline::options_of_run(a.runs.front()).upstream.order;
  input.targets = std::move(results.targets);
  input.stages = std::move(results.stages);
  const Json report = eval::build_report(input, threads);
  return a.json ? report.dump(2) + "\n" : eval::render_table(report);
}

constexpr size_t kHeldOut = 2000, kLeastQuestions = 100;

// Two bundles on what users did after both were trained.
std::string on_log(const EvalArguments& a, int threads, std::vector<std::string>& objections) {
  if (a.against.size() != 1 || a.state.empty()) {
    throw Error("a bundle is compared with another on a server's log",
                "name that bundle by --against, and the server's folder by --state");
  }
  const auto state = std::make_shared<shadow::LogState>(a.state);
  const serving::RecommenderOptions options{.threads = threads};
  const serving::Recommender active(serving::Bundle::open(a.against.front()), state, options);
  const serving::Recommender candidate(serving::Bundle::open(a.bundle), state, options);
  const auto found = shadow::held_out(state->newest_events(), *state, active.bundle(),
                                      candidate.bundle(), std::time(nullptr), kHeldOut);
  std::vector<shadow::Question> questions;
  for (const shadow::HeldOut& event : found.events) {
    questions.push_back(shadow::question_of(event));
  }
  shadow::fill_up(questions, active.bundle(), kLeastQuestions);
  const auto report =
      shadow::compare(active, candidate, questions,
                      {.most = std::chrono::hours(24), .resamples = a.metrics.resamples});
  objections = shadow::objections(report);
  if (!a.json) return shadow::render(report);
  Json json = shadow::to_json(report);
  json["objections"] = objections;
  return json.dump(2) + "\n";
}

std::string text_of(const EvalArguments& a, int threads) {
  if (!a.against.empty()) return compared(a, threads);
  return a.runs.size() == 1 ? single(a, threads) : pooled(a, threads);
}

void evaluate(EvalArguments& a) {
  OptionList(a).check();
  const int threads = a.threads > 0 ? a.threads : default_threads();
  if (!a.bundle.empty()) {
    std::vector<std::string> objections;
    std::fputs(on_log(a, threads, objections).c_str(), stdout);
    if (objections.empty()) return;
    throw Error(fmt::format("a server would not activate it: {}", fmt::join(objections, "; ")),
                R"("force": true activates it as it is)", a.bundle);
  }
  if (a.runs.empty()) throw CLI::RequiredError("--run or --bundle");
  std::fputs(text_of(a, threads).c_str(), stdout);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto a = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand(
      "eval",
      "metrics, intervals and paired tests: of a run's saved rankings, or of a bundle on the log");
  // Callbacks run in order of declaration: the run's options first, then the flags'.
  CLI::Option* run = command->add_option_function<std::vector<std::string>>(
      "--run", [a](const std::vector<std::string>& runs) { set_runs(*a, runs); },
      "run directory; several, to pool seeds and data sets");
  command->add_option("--against", a->against,
                      "runs of the same targets, as many: what has changed since, stage by stage; "
                      "of a bundle the one that is served");
  CLI::Option* bundle = command
                            ->add_option("--bundle", a->bundle,
                                         "bundle, to compare on what users did since: exit code 1 "
                                         "when a server would not activate it")
                            ->excludes(run);
  command->add_option("--state", a->state, "the server's --state; it may go on running")
      ->needs(bundle);
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  command->footer(
      "Examples:\n  podium eval --run out/run --split valid --resamples 10000\n"
      "  podium eval --run out/ml-1 --run out/ml-2 --run out/beauty-1    one table, paired over "
      "users\n"
      "  podium eval --run out/new --against out/old                     what has changed\n"
      "  podium eval --bundle out/new/bundle --against out/old/bundle --state podium-state");
  command->callback([a] { evaluate(*a); });
}

}  // namespace podium::cli
