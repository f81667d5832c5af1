// What the mains of our programs share: how errors are told, exit codes, and output that must not
// be lost.
#pragma once

#include <exception>
#include <functional>

#include "podium/base/error.h"

namespace podium {

// The table of exit codes:
//   0    done
//   1    bad request, not found, unavailable: the user can mend it
//   2    the command line cannot be read (the mains' own parsers)
//   3    corrupt: files that podium wrote are damaged
//   4    internal: a fault of podium
//   130  interrupted
inline constexpr int kBadUsage = 2;
int exit_code(ErrorKind kind);
extern const char* const kExitCodes;  // the table in words, for --help

// Runs `body` (which returns an exit code), tells what it throws on standard error as
// "PROGRAM: error: ..." with where and cure, and makes sure that standard output has arrived:
// a full disk is an error; a reader that left (EPIPE) is none worth a word, but the code is not 0.
int run_program(const char* program, const std::function<int()>& body);

}  // namespace podium
