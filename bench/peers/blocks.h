// Requests in blocks (see peer.h) for the engine's forward pass.
#pragma once

#include "bench/peers/peer.h"
#include "podium/runtime/forward.h"

namespace podium::bench {

// What the tokens at places [begin, end) see; the cache holds all before them.
inline runtime::Branches branches_of(const PeerRequest& request, size_t begin, size_t end) {
  runtime::Branches branches;
  branches.width = 1;
  const size_t prefix = request.prefix.size();
  for (size_t t = begin; t < end; ++t) {
    std::vector<int> runs = request.sees[t];
    --runs.back();  // itself
    branches.position.push_back(request.positions[t]);
    const bool sees_first = runs.front() == 0;
    branches.trunk.push_back(sees_first ? uint32_t(runs[1]) : 0);
    const size_t next = sees_first ? 2 : 0;  // a second run is only of the token
    runs.resize(std::max(runs.size(), next + 2), 0);
    branches.runs.push_back({uint32_t(runs[next]), uint32_t(runs[next + 1])});
    if (t < prefix || request.added[t - prefix].empty()) continue;
    const auto& added = request.added[t - prefix];
    branches.added_width = added.size();
    branches.added.resize((t - begin) * added.size(), -1);
    branches.added.insert(branches.added.end(), added.begin(), added.end());
  }
  branches.added.resize((end - begin) * branches.added_width, -1);
  return branches;
}

// Tokens of each item's block: those that the rest begins with and that do not see the prefix.
inline std::vector<size_t> item_blocks(const PeerRequest& request) {
  std::vector<size_t> blocks;
  int begin = -1;
  for (size_t t = request.prefix.size(); request.sees[t].front() != 0; ++t) {
    if (request.sees[t].front() != begin) blocks.push_back(0);
    begin = request.sees[t].front();
    ++blocks.back();
  }
  return blocks;
}

}  // namespace podium::bench
