// podium-train: every stage that needs LibTorch. `podium train` runs it; a GPU machine can run it
// alone.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/train/policy_command.h"
#include "podium/train/sequence_command.h"

int main(int argc, char** argv) {
  CLI::App app("Training stages of podium (LibTorch)", "podium-train");
  app.require_subcommand(1);
  bool quiet = false;
  app.add_flag("--quiet", quiet, "no progress and no log lines")->each([](const std::string&) {
    podium::set_quiet(true);
  });
  podium::train::add_sequence_commands(app);
  podium::train::add_policy_commands(app);
  podium::install_interrupt_handler();
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const podium::Error& error) {
    std::fprintf(stderr, "podium-train: %s\n", error.what());
    return podium::interrupted() ? 130 : 1;
  } catch (const std::exception& error) {  // LibTorch's own
    std::fprintf(stderr, "podium-train: %s\n", error.what());
    return 1;
  }
}
