// `podium-train rqvae`: semantic IDs of a dataset by an RQ-VAE over its item vectors.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

// --data DIR --item-vectors FILE --out DIR [--work DIR] [--config FILE.toml] [--seed N]
// [--threads N] and one flag an option of [split], [sid] and [rqvae]. Writes sid.safetensors,
// sid.json and metrics.jsonl; its checkpoint lives in the work directory.
void add_rqvae_command(CLI::App& app);

}  // namespace podium::train
