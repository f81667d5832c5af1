// podium: every command but the training stages that need LibTorch (podium-train holds those).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "podium/base/program.h"
#include "podium/base/progress.h"
#include "podium/cli/commands.h"
#include "podium/cli/data_commands.h"
#include "podium/cli/sid_commands.h"
#include "podium/cli/train_command.h"
#include "podium/kernels/blas_core.h"

namespace {

constexpr const char* kExamples = R"(Examples, from nothing to recommendations:
  podium data get ml-100k --out out/ml          fetch and import MovieLens-100K
  podium data describe out/ml                   what is in it
  podium train --data out/ml --out out/run      train every stage (Ctrl-C, then again: resumes)
  podium report --run out/run                   what each stage adds, and out/run/report.html
  podium recommend --bundle out/run/bundle --user 196 --k 10 --explain
  podium rerank --bundle out/run/bundle < slates.jsonl
  podium serve --bundle out/run/bundle          the same over HTTP, with events as they come
  podium models get minilm                      a text encoder to use instead of the default
  podium verify out/run                         is every file still what podium wrote?
  podium config > podium.toml                   every option with its default and meaning

`podium COMMAND --help` explains a command. Manual: docs/ in the source tree.)";

void add_commands(CLI::App& app) {
  podium::cli::add_data_commands(app);
  podium::cli::add_models_command(app);
  podium::cli::add_sid_commands(app);
  podium::cli::add_train_commands(app);
  podium::cli::add_report_command(app);
  podium::cli::add_eval_command(app);
  podium::cli::add_retrieve_command(app);
  podium::cli::add_slates_command(app);
  podium::cli::add_recommend_command(app);
  podium::cli::add_rerank_command(app);
  podium::cli::add_serve_command(app);
  podium::cli::add_keys_command(app);
  podium::cli::add_doctor_command(app);
  podium::cli::add_config_command(app);
  podium::cli::add_verify_command(app);
}

// The arguments in CLI11's order, last first. Option files spell learning_rate what flags spell
// --learning-rate; either is understood.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    if (argument.starts_with("--")) {
      const auto name_end =
          argument.begin() + ptrdiff_t(std::min(argument.find('='), argument.size()));
      std::replace(argument.begin(), name_end, '_', '-');
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(arguments_of(argc, argv));
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : podium::kBadUsage;
  }
}

// Serving has kernels of its own: it need not be started twice.
bool multiplies_much(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](const char* argument) {
    const std::string_view word(argument);
    return word == "train" || word == "sid";
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (multiplies_much(argc, argv)) podium::kernels::use_blas_of_this_cpu(argv);
  std::ios::sync_with_stdio(false);  // tells `rerank` whether a further line is waiting
  CLI::App app("podium: trains a recommendation funnel whose last stage reasons, and serves it",
               "podium");
  app.set_version_flag("--version", "podium " PODIUM_VERSION);
  app.require_subcommand(1);
  app.add_flag_callback(
      "--quiet", [] { podium::set_quiet(true); }, "no progress and no log lines");
  add_commands(app);
  app.footer(std::string(kExamples) + "\n\n" +
             podium::kExitCodes);  // after the commands, which would inherit it
  podium::install_interrupt_handler();
  return podium::run_program("podium", [&] { return run(app, argc, argv); });
}
