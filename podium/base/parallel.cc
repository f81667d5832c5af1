#include "podium/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "podium/base/error.h"

namespace podium {

void parallel_for(int threads, size_t n, size_t chunk,
                  const std::function<void(size_t begin, size_t end)>& body) {
  PODIUM_CHECK(chunk > 0);
  const size_t chunks = (n + chunk - 1) / chunk;
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  auto work = [&] {
    for (size_t c = next++; c < chunks; c = next++) {
      try {
        body(c * chunk, std::min(n, (c + 1) * chunk));
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        next = chunks;
      }
    }
  };
  std::vector<std::jthread> helpers;
  const size_t extra = std::min<size_t>(threads < 1 ? 0 : size_t(threads) - 1, chunks);
  for (size_t i = 0; i < extra; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins
  if (error) std::rethrow_exception(error);
}

int default_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace podium
