#include "podium/serve/open_files.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "podium/base/progress.h"

namespace podium::serve {

size_t connections_allowed(size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= connections + kOtherFiles) {
    return connections;
  }
  const size_t files = size_t(limit.rlim_cur);
  const size_t allowed = files > kOtherFiles ? files - kOtherFiles : 1;
  log_warning(fmt::format(
      "the system allows {} open files, so {} connections instead of {}: raise its limit "
      "(`ulimit -Hn`, LimitNOFILE of a unit)",
      files, allowed, connections));
  return allowed;
}

}  // namespace podium::serve
