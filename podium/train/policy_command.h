// podium-train midtrain, sft and rl: the policy's training stages as subcommands. How they are
// called: podium_train_main.cc.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

void add_policy_commands(CLI::App& app);

}  // namespace podium::train
