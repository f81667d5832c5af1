// How many files and connections this process may have open.
#pragma once

#include <cstddef>

namespace podium::serve {

// Beside connections: bundles, the log, whatever the libraries open.
inline constexpr size_t kOtherFiles = 256;

// Raises the process's limit of open files to the most that the system lets it, and returns how
// many of `connections` fit below it; fewer are told as a warning. At least one.
size_t connections_allowed(size_t connections);

}  // namespace podium::serve
