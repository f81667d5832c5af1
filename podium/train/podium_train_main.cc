// podium-train: every stage that needs LibTorch. `podium train` runs it; a GPU machine can run it
// alone.
//
//   podium-train sasrec   --data DIR --phase slates|valid|test [--init DIR]
//   podium-train hstu     --data DIR --phase slates|valid|test [--init DIR]
//   podium-train rqvae    --data DIR --item-vectors FILE
//   podium-train midtrain --data DIR --sid DIR --tokenizer FILE
//   podium-train sft      --data DIR --sid DIR --policy DIR --slates DIR --traces DIR
//   podium-train rl       --data DIR --sid DIR --policy DIR --slates DIR [--no-trace]
//   podium-train prune    --data DIR --sid DIR --policy DIR --slates DIR
//   podium-train compress --data DIR --slates DIR
//   podium-train sid-ablation --data DIR [--item-vectors FILE]
//   podium-train reward-lab --data DIR --sid DIR --policy DIR --slates DIR [--no-trace]
//
// each with --config FILE.toml --seed N --out DIR --work DIR (checkpoints, kept through a kill).
// sft, rl and prune measure themselves on --valid-slates DIR, or, without it, on a tenth of the
// slates that they then do not train on. midtrain, sft, rl and prune run in as many processes as
// WORLD_SIZE says (process_group.h). A policy directory is a Hugging Face directory: config.json,
// model.safetensors, tokenizer.json.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/base/json.h"
#include "podium/base/progress.h"
#include "podium/kernels/blas_core.h"
#include "podium/train/compress_command.h"
#include "podium/train/policy_command.h"
#include "podium/train/reward_lab_command.h"
#include "podium/train/rqvae_command.h"
#include "podium/train/sequence_command.h"
#include "podium/train/sid_ablation_command.h"

namespace {

// To the caller's file, where there is one: it passes the message on.
void tell(const podium::Error& error, const std::string& file) {
  if (!file.empty()) {
    try {
      podium::write_json_atomic(
          file, {{"message", error.message()}, {"cure", error.cure()}, {"where", error.where()}});
      return;
    } catch (const std::exception&) {  // a full disk: print it after all
    }
  }
  std::fprintf(stderr, "podium-train: %s\n", error.what());
  if (!error.cure().empty()) std::fprintf(stderr, "  try: %s\n", error.cure().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  podium::kernels::use_blas_of_this_cpu(argv);
  CLI::App app("Training stages of podium (LibTorch)", "podium-train");
  app.require_subcommand(1);
  bool quiet = false;
  app.add_flag("--quiet", quiet, "no progress and no log lines")->each([](const std::string&) {
    podium::set_quiet(true);
  });
  std::string error_file;
  app.add_option("--error-file", error_file,
                 "write what went wrong into this file, as JSON, instead of printing it");
  podium::train::add_sequence_commands(app);
  podium::train::add_rqvae_command(app);
  podium::train::add_sid_ablation_command(app);
  podium::train::add_policy_commands(app);
  podium::train::add_reward_lab_command(app);
  podium::train::add_compress_command(app);
  podium::install_interrupt_handler();
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const podium::Error& error) {
    tell(error, error_file);
    if (error.kind() == podium::ErrorKind::kInterrupted) return 130;  // by a signal to another rank
  } catch (const std::exception& error) {                             // LibTorch's own
    tell(podium::Error(error.what()), error_file);
  }
  return podium::interrupted() ? 130 : 1;
}
