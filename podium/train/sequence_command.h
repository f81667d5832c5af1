// `podium-train sasrec` and `podium-train hstu`: fit a sequence model on one phase of a dataset.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

// --data DIR --phase slates|valid|test [--init DIR] --out DIR [--work DIR] [--config FILE.toml]
// [--seed N] [--evaluate] and one flag an option of SplitOptions and of the model's options.
// Writes DIR/{sasrec,hstu}.safetensors and DIR/manifest.json; its checkpoint lives in the work
// directory.
void add_sequence_commands(CLI::App& app);

}  // namespace podium::train
