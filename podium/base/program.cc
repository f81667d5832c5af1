#include "podium/base/program.h"

#include <poll.h>

#include <cstdio>
#include <iostream>
#include <new>
#include <system_error>

#include "podium/base/progress.h"

namespace podium {
namespace {

constexpr int kFailed = 1;

int report_error(const char* program, const Error& error) {
  std::fprintf(stderr, "%s: error: %s\n", program, error.message().c_str());
  if (!error.where().empty()) std::fprintf(stderr, "  where: %s\n", error.where().c_str());
  if (!error.cure().empty()) std::fprintf(stderr, "  try: %s\n", error.cure().c_str());
  return exit_code(error.kind());
}

// Once standard output has failed, further errors of the stream are its consequence.
bool output_failed() {
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  return !flushed || std::ferror(stdout) != 0 || !std::cout;
}

// Some file systems tell of a full disk only here.
bool close_failed() { return std::fclose(stdout) != 0; }

bool reader_left() {
  pollfd output{1, POLLOUT, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

int report_output(const char* program) {
  if (reader_left()) return kFailed;
  return report_error(program, Error(ErrorKind::kUnavailable, "cannot write to standard output",
                                     "check where it goes, and the space left there"));
}

int run_body(const char* program, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    return output_failed() ? kFailed : report_error(program, error);
  } catch (const std::bad_alloc&) {
    return report_error(program, Error(ErrorKind::kUnavailable, "out of memory",
                                       "free memory, or take smaller data or a smaller model"));
  } catch (const std::system_error& error) {  // file systems, threads, fmt's output
    return output_failed() ? kFailed
                           : report_error(program, Error(kind_of_errno(error.code().value()),
                                                         error.what(), "check paths and space"));
  } catch (const std::exception& error) {  // others'
    return output_failed() ? kFailed
                           : report_error(program, Error(ErrorKind::kInternal, error.what()));
  }
}

}  // namespace

const char* const kExitCodes =
    "Exit codes: 0 done; 1 bad input, something not found, disk full or no permission; 2 bad "
    "command line;\n3 damaged files of podium's; 4 a fault of podium's own; 130 interrupted.";

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadRequest:
    case ErrorKind::kNotFound:
    case ErrorKind::kUnavailable:
      return kFailed;
    case ErrorKind::kCorrupt:
      return 3;
    case ErrorKind::kInternal:
      return 4;
    case ErrorKind::kInterrupted:
      return 130;
  }
  return 4;
}

int run_program(const char* program, const std::function<int()>& body) {
  const int code = run_body(program, body);
  if (interrupted()) return exit_code(ErrorKind::kInterrupted);
  return output_failed() || close_failed() ? report_output(program) : code;
}

}  // namespace podium
