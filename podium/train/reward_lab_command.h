// podium-train reward-lab: how it is called: podium_train_main.cc.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

void add_reward_lab_command(CLI::App& app);

}  // namespace podium::train
