#include "podium/train/command_options.h"

#include <memory>

#include "podium/artifact/output.h"
#include "podium/base/parallel.h"

namespace podium::train {

OptionList process_options(int64_t& seed, int& threads, const std::string& seed_help) {
  OptionList process;
  process("seed", seed, seed_help, at_least(0));
  process("threads", threads, "threads; 0: every core; results do not depend on it",
          between(0, kMostThreads));
  return process;
}

void add_options(CLI::App& command, const OptionList& process, const OptionList& list,
                 const std::string& file_help, const std::function<void()>& run) {
  process.add_flags(command);
  // Callbacks run in order of declaration: the file's values first, then the flags'.
  command.add_option_function<std::string>(
      "--config", [list](const std::string& file) { list.load_toml(file); }, file_help);
  list.add_flags(command);
  command.callback([process, list, run] {
    process.check();
    list.check();
    run();
  });
}

std::string hash_if_there(const fs::path& file) {
  return fs::exists(file) ? sha256_file(file) : "";
}

fs::path work_folder(const fs::path& out, const std::string& kind, const std::string& work,
                     const std::vector<fs::path>& inputs) {
  fs::path beside = artifact::check_output(out, kind, inputs);
  beside += ".work";
  const fs::path chosen = work.empty() ? beside : fs::path(work);
  artifact::check_inputs_outside(chosen, inputs);
  return chosen;
}

}  // namespace podium::train
