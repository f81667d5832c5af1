#include "podium/data/known_sets.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"

namespace podium::data {
namespace {

// PODIUM_DATA for one test.
class DataFolder {
 public:
  explicit DataFolder(const char* folder) {
    if (const char* before = std::getenv("PODIUM_DATA")) before_ = before, was_set_ = true;
    folder == nullptr ? unsetenv("PODIUM_DATA") : setenv("PODIUM_DATA", folder, 1);
  }
  ~DataFolder() { was_set_ ? setenv("PODIUM_DATA", before_.c_str(), 1) : unsetenv("PODIUM_DATA"); }

 private:
  std::string before_;
  bool was_set_ = false;
};

void write_set(const fs::path& folder) {
  write_file_atomic(folder / "ratings.csv",
                    "userId,movieId,rating,timestamp\n1,2,5,100\n1,3,4,90\n");
  write_file_atomic(folder / "movies.csv", "movieId,title,genres\n2,Two,Drama\n3,Three,Comedy\n");
}

TEST(KnownSets, AreReadFromTheFolderGivenOrTheDataFolder) {
  const fs::path data = scratch_dir("data");
  write_set(data / "ml-latest-small");
  const DataFolder folder(data.c_str());
  const fs::path out = scratch("known-out");
  get_known("ml-latest-small", "", out);
  EXPECT_EQ(Dataset::open(out).events(), 2u);
  const DataFolder none(nullptr);
  const fs::path other = scratch("known-other");
  get_known("ml-latest-small", data / "ml-latest-small", other);
  EXPECT_EQ(Dataset::open(other).events(), 2u);
}

TEST(KnownSets, AreLookedForNowhereElse) {
  const DataFolder none(nullptr);
  try {
    get_known("amazon-beauty", "", scratch("known-none"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.cure().find("--from FOLDER"), std::string::npos);
  }
  EXPECT_THROW(get_known("no-such-set", "", scratch("known-none")), Error);
}

}  // namespace
}  // namespace podium::data
