// Progress on standard error: a bar with rate and time left on a terminal, a plain line every few
// seconds elsewhere; nothing for work under two seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace podium {

// Thread-compatible: one thread calls add(). total = 0 means unknown (count and rate only).
class Progress {
 public:
  Progress(std::string label, uint64_t total, std::string unit = "");
  ~Progress();  // prints the closing line when anything was printed
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(uint64_t amount = 1);
  void note(std::string text);  // shown behind the bar, e.g. "loss 3.21"

 private:
  void print(bool last);

  using Clock = std::chrono::steady_clock;
  std::string label_, unit_, note_;
  uint64_t total_, done_ = 0;
  Clock::time_point start_, printed_;
  bool terminal_, any_ = false;
};

// One line on standard error, "podium: ..." ; --quiet silences both this and Progress.
void log_info(std::string_view text);
void log_warning(std::string_view text);
void set_quiet(bool quiet);

// True once SIGINT, SIGTERM or SIGHUP (a terminal that was closed) came; the handler is installed
// by install_interrupt_handler, for SIGHUP unless it is ignored, as under nohup. Long loops poll it
// at least ten times a second: they save their state, or have none, and throw.
bool interrupted();
void forget_interruption();  // of a program that was told to end, and has
// Throws Error of kind kInterrupted once it is true.
void stop_if_interrupted(const char* cure = "run the same command again");
void install_interrupt_handler();

}  // namespace podium
