// What tests look for in the files of a store.
#pragma once

#include <string>

#include "podium/base/files.h"

namespace podium::store {

// All bytes of its files.
inline std::string bytes_of(const fs::path& dir) {
  std::string bytes;
  for (const auto& entry : fs::directory_iterator(dir)) bytes += read_file(entry.path());
  return bytes;
}

}  // namespace podium::store
