// What the commands of podium-train have in common: a seed and threads, a TOML file and a flag for
// each option, all checked before anything runs; and the folder of what is not finished.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/options.h"

namespace podium::train {

// --seed and --threads: no part of a fingerprint. Both must outlive the list.
OptionList process_options(int64_t& seed, int& threads,
                           const std::string& seed_help = "random seed");

// Adds the flags of both lists and --config FILE, whose values the flags of `list` replace. When
// the command is given, checks both and then runs.
void add_options(CLI::App& command, const OptionList& process, const OptionList& list,
                 const std::string& file_help, const std::function<void()>& run);

// sha256 of a file, for fingerprints; empty when it is not there.
std::string hash_if_there(const fs::path& file);

// Where a command keeps its checkpoint: `work` or, when that is empty, OUT.work. Throws Error when
// OUT is no place for what is written there (`kind`), or either lies where an input is.
fs::path work_folder(const fs::path& out, const std::string& kind, const std::string& work,
                     const std::vector<fs::path>& inputs);

}  // namespace podium::train
