// Public files that lie in a Python wheel on PyPI, fetched with pip.
#pragma once

#include <string>
#include <string_view>

#include "podium/base/files.h"

namespace podium::artifact {

// requirement: name and version, "recbole==1.2.1"; sha256 of the wheel.
struct PinnedWheel {
  std::string_view requirement, sha256;
};

// Fills `folder` with the wheel's contents. Throws Error when pip cannot fetch it, or fetches
// another than the pinned one; `instead` says in both cases what the user can do without PyPI.
void fetch_wheel(const PinnedWheel& wheel, const fs::path& folder, const std::string& instead);

}  // namespace podium::artifact
