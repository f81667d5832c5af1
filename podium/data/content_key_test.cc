#include "podium/data/content_key.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"
#include "podium/data/dataset_builder.h"

namespace podium::data {
namespace {

std::string key_of(const std::string& name, const Json& source, const std::string& title) {
  const fs::path dir = scratch("content-key-" + name);
  DatasetBuilder builder;
  for (int i = 0; i < 4; ++i) {
    builder.add_item({"i" + std::to_string(i), title, "", "", {}, NAN});
    builder.add_event({"u", "i" + std::to_string(i), i, 1});
  }
  builder.write(dir, name, 0, source);
  return content_key(dir);
}

TEST(ContentKey, FollowsTheContentNotItsName) {
  const std::string key = key_of("one", {{"file", "a.csv"}}, "tea");
  EXPECT_EQ(key, key_of("two", {{"file", "b.csv"}}, "tea"));
  EXPECT_NE(key, key_of("one", {{"file", "a.csv"}}, "coffee"));
  EXPECT_THROW(content_key(scratch("content-key-none")), Error);
}

}  // namespace
}  // namespace podium::data
