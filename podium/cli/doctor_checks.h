// Whether a machine and a server's set-up are fit for `podium serve`, and what to do where they are
// not.
#pragma once

#include <string>
#include <vector>

#include "podium/base/files.h"

namespace podium::cli {

enum class Health { kFit, kWorth, kUnfit };  // kWorth: serves, and is worth a look

struct Finding {
  std::string what;  // "memory", "bundle", ...
  Health health = Health::kFit;
  std::string told;       // what was found, with its figure
  std::string cure = {};  // of all but kFit
};

// As `podium serve` takes it. An empty path of bundle, rules or keys: there is none to look at.
struct Deployment {
  fs::path bundle, state, rules, keys;
  std::string address = "127.0.0.1";
  int port = 8080;
};

// Looks, and changes nothing; a file is written into the state's folder and removed again, to see
// how long that takes, unless a server has it. Never throws for what it finds.
std::vector<Finding> examine(const Deployment& deployment);

}  // namespace podium::cli
