// Datasets whose files were changed after they were written.
#include "podium/data/dataset.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "podium/artifact/manifest.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"

namespace podium::data {
namespace {

class DamagedDataset : public testing::Test {
 protected:
  void SetUp() override {
    DatasetBuilder builder;
    builder.add_item({.id = "a", .title = "Title of A", .categories = {"x", "y"}});
    builder.add_item({.id = "b", .title = "Title of B"});
    for (const char* user : {"u", "v", "w"}) {
      builder.add_event({user, "a", 10, 1});
      builder.add_event({user, "b", 20, 2});
    }
    dir_ = scratch("damaged");
    builder.write(dir_, "damaged", 0, {});
  }

  // Overwrites element `at` of a column in place, the size stays; the manifest has its new hash.
  template <class T>
  void set(const std::string& file, const std::string& column, size_t at, T value) {
    std::string bytes = read_file(dir_ / file);
    const artifact::SafetensorsFile opened(dir_ / file);
    const auto all = opened.get<T>(column);
    const std::string needle(reinterpret_cast<const char*>(all.data()), all.size_bytes());
    const size_t begin = bytes.rfind(needle);
    ASSERT_NE(begin, std::string::npos);
    std::memcpy(bytes.data() + begin + at * sizeof(T), &value, sizeof(T));
    write_file_atomic(dir_ / file, bytes);
    const Json content = artifact::load_manifest(dir_).content;
    artifact::write_manifest(dir_, "dataset", kDatasetVersion, content);
  }

  void expect_damaged(const std::string& part) const {
    try {
      Dataset::open(dir_);
      ADD_FAILURE() << "opened: " << part;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find(part), std::string::npos) << e.message();
    }
  }

  fs::path dir_;
};

TEST_F(DamagedDataset, ANumberThatChanged) {
  const fs::path file = dir_ / "events.safetensors";
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomic(file, bytes);
  expect_damaged("'events.safetensors' is damaged");
}

TEST_F(DamagedDataset, AUserWithoutAName) {
  set<int64_t>("users.safetensors", "id.begin", 1, 0);
  expect_damaged("empty");
}

TEST_F(DamagedDataset, AnItemOutsideTheCatalogue) {
  set<uint32_t>("events.safetensors", "item", 3, 7);
  expect_damaged("outside the catalogue");
}

TEST_F(DamagedDataset, OffsetsThatDoNotAscend) {
  set<int64_t>("events.safetensors", "user_ptr", 1, 5);
  expect_damaged("offsets");
}

TEST_F(DamagedDataset, ANegativeOffset) {
  set<int64_t>("events.safetensors", "user_ptr", 1, -2);
  expect_damaged("offsets");
}

TEST_F(DamagedDataset, TimesThatGoBack) {
  set<int64_t>("events.safetensors", "time", 0, 99);
  expect_damaged("order of time");
}

TEST_F(DamagedDataset, ARatingThatIsNoNumber) {
  set<float>("events.safetensors", "rating", 2, std::numeric_limits<float>::quiet_NaN());
  expect_damaged("rating");
}

TEST_F(DamagedDataset, TextOffsetsOutOfRange) {
  set<int64_t>("catalog.safetensors", "title.begin", 2, 1000);
  expect_damaged("offsets");
}

TEST_F(DamagedDataset, CategoriesOfNobody) {
  set<int64_t>("catalog.safetensors", "category_ptr", 1, 9);
  expect_damaged("offsets");
}

TEST_F(DamagedDataset, TextThatIsNotUtf8) {
  set<char>("catalog.safetensors", "title.text", 1, '\xFF');
  expect_damaged("UTF-8");
}

TEST_F(DamagedDataset, TwoUsersOfOneName) {
  set<char>("users.safetensors", "id.text", 0, 'z');
  set<char>("users.safetensors", "id.text", 1, 'z');
  expect_damaged("occurs twice");
}

}  // namespace
}  // namespace podium::data
