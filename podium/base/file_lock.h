// One process at a time.
#pragma once

#include "podium/base/files.h"

namespace podium {

// An advisory lock on a file (created if missing, with its folder), held while this object lives.
// Throws Error when another process holds it.
class FileLock {
 public:
  explicit FileLock(const fs::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace podium
