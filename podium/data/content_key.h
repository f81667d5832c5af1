// What a dataset is known by: its content, whatever its files were once called.
#pragma once

#include <string>

#include "podium/base/files.h"

namespace podium::data {

// A hash over the columns (*.safetensors) of a dataset directory, from the hashes in its manifest:
// equal for equal users, items, events and texts. Throws Error when there is no sound manifest.
std::string content_key(const fs::path& dir);

}  // namespace podium::data
