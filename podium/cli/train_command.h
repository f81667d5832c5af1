// `podium train`: the whole funnel from a dataset, stage by stage, resumable.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::cli {

void add_train_commands(CLI::App& app);

}  // namespace podium::cli
