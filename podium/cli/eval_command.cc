#include <fmt/format.h>

#include <cstdio>
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

namespace podium::cli {
namespace {

struct EvalArguments {
  std::vector<std::string> runs, against;
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

std::string text_of(const EvalArguments& a, int threads) {
  if (!a.against.empty()) return compared(a, threads);
  return a.runs.size() == 1 ? single(a, threads) : pooled(a, threads);
}

void evaluate(EvalArguments& a) {
  OptionList(a).check();
  const int threads = a.threads > 0 ? a.threads : default_threads();
  std::fputs(text_of(a, threads).c_str(), stdout);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto a = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand(
      "eval", "metrics, intervals and paired tests again, from a run's saved rankings");
  // Callbacks run in order of declaration: the run's options first, then the flags'.
  command
      ->add_option_function<std::vector<std::string>>(
          "--run", [a](const std::vector<std::string>& runs) { set_runs(*a, runs); },
          "run directory; several, to pool seeds and data sets")
      ->required();
  command->add_option("--against", a->against,
                      "runs of the same targets, as many: what has changed since, stage by stage");
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  command->footer(
      "Examples:\n  podium eval --run out/run --split valid --resamples 10000\n"
      "  podium eval --run out/ml-1 --run out/ml-2 --run out/beauty-1    one table, paired over "
      "users\n"
      "  podium eval --run out/new --against out/old                     what has changed");
  command->callback([a] { evaluate(*a); });
}

}  // namespace podium::cli
