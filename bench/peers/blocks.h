// Requests in blocks (see peer.h) for the engine's forward pass.
#pragma once

#include "bench/peers/peer.h"
#include "podium/runtime/forward.h"

namespace podium::bench {

// What the tokens of the rest see, from the `first` on; the cache holds all before it.
inline runtime::Branches branches_of(const Request& request, size_t first) {
  constexpr size_t kRuns = 2;
  runtime::Branches branches;
  branches.width = kRuns;
  for (size_t t = first; t < request.rest.size(); ++t) {
    std::vector<int> runs = request.sees[t];
    --runs.back();  // itself
    branches.position.push_back(request.positions[t]);
    const bool sees_first = runs.front() == 0;
    branches.trunk.push_back(sees_first ? uint32_t(runs[1]) : 0);
    size_t count = 0;
    for (size_t i = sees_first ? 2 : 0; i < runs.size(); i += 2, ++count) {
      branches.runs.push_back({uint32_t(runs[i]), uint32_t(runs[i + 1])});
    }
    for (; count < kRuns; ++count) branches.runs.push_back({0, 0});
  }
  return branches;
}

// Tokens of each item's block: those that the rest begins with and that do not see the prefix.
inline std::vector<size_t> item_blocks(const Request& request) {
  std::vector<size_t> blocks;
  int begin = -1;
  for (const auto& runs : request.sees) {
    if (runs.front() == 0) break;
    if (runs.front() != begin) blocks.push_back(0);
    begin = runs.front();
    ++blocks.back();
  }
  return blocks;
}

}  // namespace podium::bench
