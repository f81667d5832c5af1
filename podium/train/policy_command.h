// podium-train midtrain, sft and rl: the policy's training stages as subcommands. How they are
// called: podium/rerank/train_options.h.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

void add_policy_commands(CLI::App& app);

}  // namespace podium::train
