// `podium-train sid-ablation`: the table of sid_ablation.h on one dataset.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

// --data DIR --out DIR [--item-vectors FILE] [--config FILE.toml] [--seed N] [--threads N] and one
// flag an option of [ablation], [split], [sid], [rqvae] and [midtrain]. Writes ablation.json and
// ablation.md again after each row and seed; what is in DIR already is not done again unless its
// options or inputs have changed.
void add_sid_ablation_command(CLI::App& app);

}  // namespace podium::train
