#include "podium/base/progress.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <utility>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/service.h"

namespace podium {
namespace {

std::atomic<bool> g_quiet{false}, g_json{false};
volatile std::sig_atomic_t g_interrupted = 0, g_reload = 0;

std::string duration(double seconds) {
  const auto s = int64_t{std::llround(seconds)};
  if (s >= 3600) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  if (s >= 60) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string count(double value) {
  if (value >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

extern "C" void on_signal(int) { g_interrupted = 1; }
extern "C" void on_hangup(int) { g_reload = 1; }

void log_line(const char* before, const char* level, std::string_view text) {
  std::string line = fmt::format("podium: {}{}", before, text);
  if (g_json) {
    const Json json = {
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
        {"level", level},
        {"message", text}};
    line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

Progress::Progress(std::string label, uint64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      start_(Clock::now()),
      printed_(start_),
      terminal_(::isatty(2) == 1) {}

Progress::~Progress() {
  if (any_) print(true);
}

void Progress::add(uint64_t amount) {
  done_ += amount;
  const auto now = Clock::now();
  const double pause = terminal_ ? 0.1 : 10.0;
  if (seconds_between(start_, now) < 2 || seconds_between(printed_, now) < pause) return;
  printed_ = now;
  print(false);
}

void Progress::note(std::string text) { note_ = std::move(text); }

void Progress::print(bool last) {
  if (g_quiet) return;
  any_ = true;
  const double elapsed = std::max(1e-9, seconds_between(start_, Clock::now()));
  const double rate = double(done_) / elapsed;
  std::string line = label_ + " ";
  if (total_ > 0) {
    const double share = std::min(1.0, double(done_) / double(total_));
    if (terminal_) {
      const int filled = static_cast<int>(share * 24);
      line += fmt::format("[{:#<{}}{:.<{}}] ", "", filled, "", 24 - filled);
    }
    line += fmt::format("{:3.0f}% ", share * 100);
  }
  line += fmt::format("{}{}{} {}/s", count(double(done_)), unit_.empty() ? "" : " ", unit_,
                      count(rate));
  if (last) {
    line += " in " + duration(elapsed);
  } else if (total_ > done_ && rate > 0) {
    line += ", " + duration(double(total_ - done_) / rate) + " left";
  }
  if (!note_.empty()) line += " | " + note_;
  std::fprintf(stderr, "%s%s%s", terminal_ ? "\r\033[K" : "", line.c_str(),
               terminal_ && !last ? "" : "\n");
  std::fflush(stderr);
}

void log_info(std::string_view text) {
  if (!g_quiet) log_line("", "info", text);
}

void log_warning(std::string_view text) { log_line("warning: ", "warning", text); }

void log_as_json() { g_json = true; }

void set_quiet(bool quiet) { g_quiet = quiet; }

bool interrupted() { return g_interrupted != 0; }
void forget_interruption() { g_interrupted = 0; }

void stop_if_interrupted(const char* cure) {
  if (interrupted()) throw Error(ErrorKind::kInterrupted, "interrupted", cure);
}

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C ends at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

void reload_on_hangup() {
  struct sigaction action {};
  action.sa_handler = on_hangup;
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
}

bool reload_asked() {
  const bool asked = g_reload != 0;
  if (asked) g_reload = 0;
  return asked;
}

}  // namespace podium
