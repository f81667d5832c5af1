#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/parallel.h"
#include "podium/cli/commands.h"
#include "podium/eval/report.h"

namespace podium::cli {
namespace {

struct EvalArguments {
  std::string run, split = "test";
  eval::MetricOptions metrics;
  int threads = 0;
  bool json = false;
};

// A whole run's results, or those of the upstream alone when training stopped there.
std::vector<fs::path> result_files(const EvalArguments& a) {
  if (a.split != "test" && a.split != "valid") {
    throw Error(fmt::format("no results of split '{}'", a.split), "use valid or test");
  }
  const fs::path run(a.run), stages = run / "stages";
  std::vector<fs::path> files;
  for (const char* stage : {"upstream", "eval-sft", "eval-rl", "eval-fast", "eval-plain"}) {
    const fs::path file = stages / stage / (a.split + ".json");
    if (fs::exists(file)) files.push_back(file);
  }
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

void evaluate(const EvalArguments& a) {
  const Json report = eval::build_report(collect(a), a.threads > 0 ? a.threads : default_threads());
  const std::string text = a.json ? report.dump(2) + "\n" : eval::render_table(report);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto a = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand(
      "eval", "metrics, intervals and paired tests again, from a run's saved rankings");
  command->add_option("--run", a->run, "run directory")->required();
  command->add_option("--split", a->split, "valid or test")->capture_default_str();
  command->add_option("--k", a->metrics.k, "candidates a slate, as trained")->capture_default_str();
  OptionList(a->metrics).add_flags(*command);
  command->add_option("--threads", a->threads, "threads; 0: every core");
  command->add_flag("--json", a->json, "print JSON");
  command->footer("Example:\n  podium eval --run out/run --split valid --resamples 10000");
  command->callback([a] { evaluate(*a); });
}

}  // namespace podium::cli
