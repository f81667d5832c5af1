#include "podium/cli/train_command.h"

#include <cstdio>
#include <memory>

#include "podium/base/options.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"

namespace podium::cli {
namespace {

struct TrainArguments {
  pipeline::PipelineRequest request;
  std::string preset, data, out, trainer;
  bool json = false;
};

void run_train(TrainArguments& a) {
  a.request.data = a.data;
  a.request.out = a.out;
  a.request.trainer = a.trainer;
  const Json report = pipeline::run_pipeline(a.request);
  if (report.is_null()) return;  // --until stopped before the report
  const std::string text = a.json ? report.dump(2) + "\n" : pipeline::report_table(report);
  std::fputs(text.c_str(), stdout);
}

}  // namespace

void add_train_commands(CLI::App& app) {
  auto a = std::make_shared<TrainArguments>();
  auto list = std::make_shared<OptionList>(a->request.options);
  CLI::App* train = app.add_subcommand(
      "train", "train the whole funnel; finished stages are skipped, killed ones resumed");
  train->add_option("--data", a->data, "dataset directory")->required();
  train->add_option("--out", a->out, "run directory")->required();
  train->add_option("--until", a->request.until, "last stage to run, see below");
  train->add_flag("--retrain", a->request.retrain,
                  "replace finished stages whose options or data have changed");
  train->add_option("--trainer", a->trainer, "the podium-train binary (default: beside podium)");
  train->add_flag("--json", a->json, "print the report as JSON instead of a table");
  // Callbacks run in order of declaration: preset, then file, then flags.
  train->add_option_function<std::string>(
      "--preset",
      [a](const std::string& name) { pipeline::apply_preset(name, a->request.options); },
      "demo (a small data set in minutes) or full (the default values)");
  train->add_option_function<std::string>(
      "--config", [list](const std::string& file) { list->load_toml(file); },
      "TOML file of options, see `podium config`");
  list->add_flags(*train);
  train->add_option("--seen", a->request.options.upstream.sources.seen,
                    "short for --upstream.sources.seen: exclude, allow or decay");
  train->footer("Stages, in order:\n" + pipeline::stage_help());
  train->callback([a, list] { run_train(*a); });
}

}  // namespace podium::cli
