// podium data import | get | describe.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::cli {

void add_data_commands(CLI::App& app);

}  // namespace podium::cli
