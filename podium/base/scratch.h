// Scratch paths of unit tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace podium {

// This process's own folder, so that tests may run side by side; it goes with the process.
inline const std::filesystem::path& scratch_folder() {
  namespace fs = std::filesystem;
  struct Folder {
    fs::path path = fs::path(testing::TempDir()) / ("podium-test-" + std::to_string(getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

// A path in it where nothing lies yet.
inline std::filesystem::path scratch(const std::string& name) {
  std::filesystem::remove_all(scratch_folder() / name);
  return scratch_folder() / name;
}

inline std::filesystem::path scratch_dir(const std::string& name) {  // the same, made
  const std::filesystem::path path = scratch(name);
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace podium
