// Whether a candidate may take the active bundle's place.
#pragma once

#include <string>
#include <vector>

#include "podium/shadow/trial.h"

namespace podium::shadow {

// Shares are of the questions, and of the histories' events: how much more the candidate may have
// than the active bundle.
struct GateLimits {
  double failed = .01;
  double degraded = .05;
  double unknown = .1;      // events of items that it does not know
  double latency = 2;       // of the medians; where the candidate's is longer than
  double least_ms = 5;      // this
  size_t least_users = 20;  // below which N@10 decides nothing
};

// Why it may not, each with its figure; empty: it may.
std::vector<std::string> objections(const Report& report, const GateLimits& limits = {});

}  // namespace podium::shadow
