#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/eval/report.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"

namespace podium::cli {
namespace {

struct EvalArguments {
  std::string run, split = "test";
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

// The metrics' options are the run's own, where no flag says otherwise.
void set_run(EvalArguments& a, const std::string& run) {
  const pipeline::PipelineOptions options = pipeline::options_of_run(run);
  a.run = run;
  a.metrics = options.metrics;
  a.metrics.k = options.k;
}

// A whole run's results, or those of the upstream when training stopped there.
std::vector<fs::path> result_files(const EvalArguments& a) {
  const fs::path run(a.run);
  std::vector<fs::path> files = pipeline::result_files(run, a.split);
  if (files.empty() && a.split == "test" && fs::exists(run / "results.json")) {
    files.push_back(run / "results.json");
  }
  if (files.empty()) {
    throw Error("this run has no results yet", "run `podium train` at least --until upstream",
                run.string());
  }
  return files;
}

eval::ReportInput collect(const EvalArguments& a) {
  eval::ReportInput input;
  input.title = fs::path(a.run).filename().string();
  input.protocol = a.split + " split";
  input.metrics = a.metrics;
  for (const fs::path& file : result_files(a)) {
    eval::SavedResults saved = eval::read_results(file);
    if (input.stages.empty())
      input.targets = std::move(saved.targets);
    else if (saved.targets != input.targets) {
      throw Error("results of other targets", "run `podium train` again", file.string());
    }
    for (auto& stage : saved.stages) input.stages.push_back(std::move(stage));
  }
  return input;
}

void evaluate(EvalArguments& a) {
  OptionList(a).check();
  const Json report = eval::build_report(collect(a), a.threads > 0 ? a.threads : default_threads());
  const std::string text = a.json ? report.dump(2) + "\n" : eval::render_table(report);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto a = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand(
      "eval", "metrics, intervals and paired tests again, from a run's saved rankings");
  // Callbacks run in order of declaration: the run's options first, then the flags'.
  command
      ->add_option_function<std::string>(
          "--run", [a](const std::string& run) { set_run(*a, run); }, "run directory")
      ->required();
  OptionList(*a).add_flags(*command);
  command->add_flag("--json", a->json, "print JSON");
  command->footer("Example:\n  podium eval --run out/run --split valid --resamples 10000");
  command->callback([a] { evaluate(*a); });
}

}  // namespace podium::cli
