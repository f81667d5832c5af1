// `podium-train sasrec`: fits SASRec on one phase of a dataset.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

// --data DIR --phase slates|valid|test [--init DIR] --out DIR [--work DIR] [--config FILE.toml]
// [--seed N] [--evaluate] and one flag an option of SplitOptions, SasrecOptions.
// Writes DIR/sasrec.safetensors and DIR/manifest.json; its checkpoint lives in the work directory.
void add_sasrec_command(CLI::App& app);

}  // namespace podium::train
