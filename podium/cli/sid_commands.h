// podium sid show.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::cli {

void add_sid_commands(CLI::App& app);

}  // namespace podium::cli
