// Is a directory of podium's still what podium wrote? Every file is hashed and compared with its
// manifest, and so are the directories of podium's below it that the manifest does not list (the
// stages of a run, the impressions of a dataset).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podium/base/files.h"

namespace podium::artifact {

struct VerifiedDir {
  fs::path dir;
  std::string kind;
  int version = 0;
  size_t files = 0;
  uint64_t bytes = 0;
  std::string damage;  // the first file that is missing or differs; empty: all is well
};

// The directory itself first, then those below by path. Throws Error when it is not podium's, or
// when a manifest cannot be read.
std::vector<VerifiedDir> verify(const fs::path& dir);

}  // namespace podium::artifact
