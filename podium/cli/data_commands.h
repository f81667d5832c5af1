// podium data import | get | describe | simulate.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::cli {

void add_data_commands(CLI::App& app);
void add_simulate_command(CLI::App& data);  // simulate --out DIR; called by add_data_commands

}  // namespace podium::cli
