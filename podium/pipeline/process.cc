#include "podium/pipeline/process.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/progress.h"

namespace podium::pipeline {
namespace {

constexpr int kCannotExecute = 127;
constexpr std::chrono::seconds kPatience{20};

[[noreturn]] void become(const std::vector<std::string>& arguments, pid_t parent) {
  // A group of its own: Ctrl-C reaches it through its parent alone, once.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotExecute);  // the parent died before the line above
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(kCannotExecute);
}

// An interrupt is passed on, so that the child can save its state; a child that does not end on it
// is killed after kPatience: its last checkpoint stands.
int wait_for(pid_t child, rusage& usage) {
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> asked;
  for (;;) {
    int status = 0;
    const pid_t ended = ::wait4(child, &status, WNOHANG, &usage);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      throw Error(ErrorKind::kUnavailable, "lost a child process", "run the command again");
    if (interrupted() && !asked) {
      ::kill(child, SIGINT);
      asked = Clock::now();
    }
    if (asked && Clock::now() - *asked > kPatience) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string name_of(const std::vector<std::string>& arguments) {
  std::string name = fs::path(arguments[0]).filename();
  for (size_t i = 1; i < arguments.size();
       ++i) {  // the subcommand, after the program's own options
    if (arguments[i] == "--error-file") {
      ++i;
    } else if (!arguments[i].starts_with("-")) {
      return name + " " + arguments[i];
    }
  }
  return name;
}

Error told_by_child(const std::string& name, const fs::path& error_file) {
  const Json told = read_json(error_file);
  return Error(name + ": " + told.at("message").get<std::string>(),
               told.at("cure").get<std::string>(), told.at("where").get<std::string>());
}

Error failure_of(const std::vector<std::string>& arguments, int status, double peak_mb,
                 const fs::path& error_file) {
  const std::string name = name_of(arguments);
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const std::string what = fmt::format("{} was ended by signal {} ({}), its peak {:.0f} MiB",
                                         name, signal, ::strsignal(signal), peak_mb);
    // Only the kernel and people send SIGKILL; the others are faults of the program itself.
    return Error(what, signal == SIGKILL
                           ? "if memory ran out, choose a smaller model; run the same command to "
                             "resume"
                           : "a fault of podium: report it with the lines above; run the same "
                             "command to try again");
  }
  if (WEXITSTATUS(status) == kCannotExecute) {
    return Error(fmt::format("cannot run {}", arguments[0]), "build podium-train first");
  }
  if (!error_file.empty() && fs::exists(error_file)) return told_by_child(name, error_file);
  return Error(fmt::format("{} failed with status {}", name, WEXITSTATUS(status)),
               "its message is above");
}

}  // namespace

ChildUsage run_child(const std::vector<std::string>& arguments, const fs::path& error_file) {
  PODIUM_CHECK(!arguments.empty());
  std::error_code gone;
  if (!error_file.empty()) fs::remove(error_file, gone);
  const auto start = std::chrono::steady_clock::now();
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    throw Error(ErrorKind::kUnavailable,
                fmt::format("cannot start {}: {}", arguments[0], std::strerror(errno)),
                "free some memory or processes");
  }
  if (child == 0) become(arguments, self);
  rusage usage{};
  const int status = wait_for(child, usage);
  stop_if_interrupted("run the same command to resume");
  const double peak_mb = double(usage.ru_maxrss) / 1024;
  if (status != 0) throw failure_of(arguments, status, peak_mb, error_file);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {took.count(), peak_mb};
}

fs::path sibling_program(const std::string& name) {
  const fs::path path = fs::read_symlink("/proc/self/exe").parent_path() / name;
  if (!fs::exists(path)) {
    throw Error(fmt::format("{} is not installed beside podium", name),
                "build it (target podium-train, needs LibTorch), or pass --trainer PATH",
                path.string());
  }
  return path;
}

double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace podium::pipeline
