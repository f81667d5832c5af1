// Data parallelism with a thread count passed in; results never depend on the count.
#pragma once

#include <cstddef>
#include <functional>

namespace podium {

// Calls body(begin, end) on disjoint chunks of [0, n), chunk at a time, on up to `threads` threads
// (the caller's among them). The first exception is rethrown after all threads have stopped.
// Chunk borders depend on n and chunk alone, so per-chunk reductions are deterministic.
void parallel_for(int threads, size_t n, size_t chunk,
                  const std::function<void(size_t begin, size_t end)>& body);

inline constexpr int kMostThreads = 4096;  // that may be asked for

// Cores this process may use, at least 1.
int default_threads();

}  // namespace podium
