#include "podium/cli/train_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "podium/artifact/output.h"
#include "podium/base/options.h"
#include "podium/base/progress.h"
#include "podium/pipeline/pipeline.h"
#include "podium/pipeline/stages.h"
#include "podium/store/export.h"

namespace podium::cli {
namespace {

struct TrainArguments {
  pipeline::PipelineRequest request;
  std::string preset, data, out, trainer;
  std::string store, bundle;
  size_t hold_out = 2000;
  bool json = false;
};

// The log's dataset, beside the run: one that is there is what the run was begun with, so that a
// run that was killed goes on however the log has grown.
std::string dataset_of_log(const TrainArguments& a) {
  const fs::path data = a.out + ".data";
  if (artifact::kind_of(data) == "dataset" && !a.request.retrain) {
    log_info(fmt::format("going on with {}, made from the log before", data.string()));
    return data;
  }
  const Json content =
      store::write_dataset(a.store, *serving::Bundle::open(a.bundle), data, a.hold_out);
  log_info(fmt::format("{}: {} events, of them {} of the log, whose newest {} are held out",
                       data.string(), content["events"].get<size_t>(),
                       content["live_events"].get<size_t>(), content["held_out"].get<size_t>()));
  return data;
}

void run_train(TrainArguments& a) {
  if (a.store.empty() && a.data.empty()) throw CLI::RequiredError("--data or --from-store");
  while (a.out.ends_with('/')) a.out.pop_back();
  if (a.data.empty()) a.data = dataset_of_log(a);
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
  CLI::Option* data = train->add_option("--data", a->data, "dataset directory");
  CLI::Option* store =
      train
          ->add_option("--from-store", a->store,
                       "instead: the --state of a server, which may go on running; the dataset is "
                       "kept as OUT.data")
          ->excludes(data);
  CLI::Option* bundle =
      train->add_option("--bundle", a->bundle, "the bundle that it serves, for what that knows")
          ->needs(store);
  store->needs(bundle);
  train
      ->add_option(
          "--hold-out", a->hold_out,
          "newest events of the log to leave out, no more than a fifth of them: the server "
          "judges the bundle by them")
      ->needs(store)
      ->capture_default_str();
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
