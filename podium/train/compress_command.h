// The command that trains the context compressor (rerank/compressor.h).
#pragma once

#include <CLI/CLI.hpp>

namespace podium::train {

void add_compress_command(CLI::App& app);

}  // namespace podium::train
