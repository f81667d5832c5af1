// JSON: order kept, keys found whatever their number, and what is malformed told.
#include "podium/base/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "podium/base/error.h"

namespace podium {
namespace {

std::string object_of(size_t keys) {
  std::string text = "{";
  for (size_t i = 0; i < keys; ++i) {
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
  }
  return text + "}";
}

double seconds_to_parse(const std::string& text) {
  const std::clock_t begin = std::clock();  // the processor's, whatever else runs
  parse_json(text, "t");
  return double(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(Json, ReadsWhatItWrites) {
  const std::string text =
      R"({"z":[1,-2,3.5,null,true,{"a":{}},[]],"a":"\u00e9\n","n":18446744073709551615,"m":{}})";
  const Json value = parse_json(text, "t");
  EXPECT_EQ(parse_json(value.dump(), "t"), value);
  EXPECT_EQ(value.dump(-1, ' ', true), text);
  EXPECT_EQ(value["z"][5]["a"], Json::object());
  EXPECT_EQ(parse_json("3", "t"), 3);
}

// Sizes around that from which keys are hashed.
TEST(Json, ObjectsKeepOrderAndFindKeys) {
  for (const size_t keys : {0, 1, 15, 16, 17, 18, 40, 1000}) {
    const Json value = parse_json(object_of(keys), "t");
    ASSERT_EQ(value.size(), keys);
    EXPECT_EQ(value.dump(), object_of(keys));
    Json copy = value;
    for (size_t i = 0; i < keys; ++i) {
      const std::string key = "k" + std::to_string(i);
      ASSERT_EQ(copy.at(key), i);
      ASSERT_EQ(copy.count(key), 1U);
    }
    EXPECT_FALSE(copy.contains("k"));
    EXPECT_THROW(value.at("k"), Json::exception);
    for (size_t i = 0; i < keys; i += 2) EXPECT_EQ(copy.erase("k" + std::to_string(i)), 1U);
    for (size_t i = 0; i < keys; ++i) {
      ASSERT_EQ(copy.contains("k" + std::to_string(i)), i % 2 == 1) << keys << " " << i;
    }
    copy["new"] = 1;
    copy.update(value);
    EXPECT_EQ(copy.size(), keys + 1);
    copy.clear();
    EXPECT_FALSE(copy.contains("k1"));
    copy["k1"] = 2;
    EXPECT_EQ(copy.dump(), R"({"k1":2})");
  }
}

TEST(Json, TimeGrowsWithTheText) {
  const std::string small = object_of(20000), large = object_of(160000);
  double least_small = 1e9, least_large = 1e9;
  for (int i = 0; i < 3; ++i) {
    least_small = std::min(least_small, seconds_to_parse(small));
    least_large = std::min(least_large, seconds_to_parse(large));
  }
  EXPECT_LT(least_large, 30 * least_small);  // quadratic: 64 times
  EXPECT_LT(least_large, 5);
}

TEST(Json, MalformedTextIsTold) {
  const auto message = [](std::string_view text) -> std::string {
    try {
      parse_json(text, "here");
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), "here");
      return error.message();
    }
    return "read";
  };
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "\"\xFF\"", "[NaN]",
                           "1e999", "{\"a\" 1}", "\"a", "[\"\\ud800\"]"}) {
    EXPECT_NE(message(text).find("malformed JSON"), std::string::npos) << text;
  }
  EXPECT_NE(message(R"({"a":1,"b":{"a":2},"a":3})").find("\"a\" stands twice"), std::string::npos);
  EXPECT_EQ(message(R"({"a":1,"b":{"a":2}})"), "read");
  EXPECT_EQ(message(std::string(64, '[') + std::string(64, ']')), "read");
  EXPECT_NE(message(std::string(65, '[') + std::string(65, ']')).find("64"), std::string::npos);
  EXPECT_NE(message(std::string(100000, '[')).find("64"), std::string::npos);
}

}  // namespace
}  // namespace podium
