// Running a child process of our own, e.g. podium-train.
#pragma once

#include <string>
#include <vector>

#include "podium/base/files.h"

namespace podium::pipeline {

struct ChildUsage {
  double seconds = 0;
  double peak_mb = 0;  // largest resident set
};

// Runs arguments[0] with its output passed through and waits. An interrupt of this process is
// passed on once, and the child is killed when this process dies, so no orphan goes on writing.
// Throws Error when the child cannot start, fails or was interrupted. A child that fails may say
// why in error_file ({"message", "cure", "where"}): that is the Error then.
ChildUsage run_child(const std::vector<std::string>& arguments, const fs::path& error_file = {});

// A program installed in the directory of the running executable. Throws Error when it is missing.
fs::path sibling_program(const std::string& name);

// Largest resident set of this process since the last reset (Linux; 0 where unknown), in MiB.
double peak_memory_mb();
void reset_peak_memory();

}  // namespace podium::pipeline
