#include "podium/serving/bundle.h"

#include <gtest/gtest.h>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/serving/history.h"
#include "podium/serving/test_bundle.h"

namespace podium::serving {
namespace {

class BundleTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { path_ = write_test_bundle(scratch("bundle")); }
  static void TearDownTestSuite() { fs::remove_all(path_.parent_path()); }

  template <class Change>
  static fs::path with_manifest(const Change& change) {
    return serving::with_manifest(path_, change);
  }
  static std::string error_of(const fs::path& dir, const BundleOptions& options = {}) {
    try {
      Bundle::open(dir, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  static inline fs::path path_;
};

TEST_F(BundleTest, OpensWithWhatItIsServedWith) {
  const auto bundle = Bundle::open(path_, {.verify = true});
  EXPECT_EQ(bundle->options().upstream.ranker.rounds, 5);
  EXPECT_EQ(bundle->options().max_trace, 12);
  EXPECT_EQ(bundle->slate_size(), 10u);
  EXPECT_TRUE(bundle->timed());
  EXPECT_EQ(bundle->source_names().front(), "popularity");
}

TEST_F(BundleTest, WhatIsNoBundleIsRefused) {
  EXPECT_NE(error_of(path_ / "dataset"), "");
  EXPECT_NE(error_of(path_ / "missing").find("this is not a bundle"), std::string::npos);
}

TEST_F(BundleTest, OtherFormatsAreRefusedWithTheCure) {
  const auto of_version = [](int version) {
    return with_manifest([&](Json& manifest) { manifest["podium"]["version"] = version; });
  };
  const std::string older = error_of(of_version(2)),
                    newer = error_of(of_version(funnel::kBundleVersion + 1));
  EXPECT_NE(older.find("format 2"), std::string::npos) << older;
  EXPECT_NE(older.find("podium train --until bundle"), std::string::npos) << older;
  EXPECT_NE(newer.find("newer than this podium"), std::string::npos) << newer;
}

TEST_F(BundleTest, KeysOfANewerMinorVersionAreIgnoredOthersAreNot) {
  const auto with_key = [](int minor) {
    return with_manifest([&](Json& manifest) {
      manifest["content"]["minor"] = minor;
      manifest["content"]["serving"]["upstream.something"] = 3;
    });
  };
  EXPECT_EQ(error_of(with_key(funnel::kBundleMinorVersion + 1)), "");
  EXPECT_NE(error_of(with_key(funnel::kBundleMinorVersion)), "");
}

TEST_F(BundleTest, OptionsThatCannotBeAreRefused) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, Json>>{{"k", 1},
                                                 {"k", 101},
                                                 {"k", "ten"},
                                                 {"k", 1.5},
                                                 {"max_trace", -1},
                                                 {"block", 0},
                                                 {"prompt.evidence", 1},
                                                 {"prompt.max_history", 21}}) {
    const fs::path copy = with_manifest(
        [&, key = key, value = value](Json& m) { m["content"]["serving"][key] = value; });
    EXPECT_NE(error_of(copy), "") << key << " " << value;
  }
  EXPECT_NE(error_of(with_manifest([](Json& m) { m["content"]["serving"].erase("k"); })), "");
  EXPECT_NE(error_of(with_manifest([](Json& m) { m["content"].erase("serving"); })), "");
  EXPECT_NE(error_of(with_manifest([](Json& m) { m["content"] = 3; })), "");
}

TEST_F(BundleTest, DamageIsFound) {
  for (const char* part : {"policy/model.safetensors", "upstream/ranker.json", "sid/sid.json"}) {
    const fs::path copy = with_manifest([](Json&) {});
    fs::resize_file(copy / part, fs::file_size(copy / part) / 2);
    EXPECT_NE(error_of(copy), "") << part;
  }
  // One flipped bit keeps the size: the hashes find it.
  const fs::path copy = with_manifest([](Json&) {});
  std::string bytes = read_file(copy / "policy-fast" / "model.safetensors");
  bytes[bytes.size() - 2] = char(bytes[bytes.size() - 2] ^ 1);
  write_file_atomic(copy / "policy-fast" / "model.safetensors", bytes);
  EXPECT_NE(error_of(copy, {.verify = true}).find("policy-fast/model.safetensors"),
            std::string::npos);
}

// Event numbers are no times: no clock is compared with them, and nobody has been idle.
TEST_F(BundleTest, DataWithoutTimesAreToldApart) {
  const fs::path copy = with_manifest([](Json&) {});
  Json manifest = read_json(copy / "dataset" / "manifest.json");
  manifest["content"]["source"] = {{"import", {{"time", "event number"}}}};
  write_json_atomic(copy / "dataset" / "manifest.json", manifest);
  artifact::write_manifest(copy, "bundle", funnel::kBundleVersion,
                           read_json(copy / "manifest.json")["content"]);
  const auto bundle = Bundle::open(copy);
  EXPECT_FALSE(bundle->timed());
  MemoryState state;
  state.add_event("u1", {"i39", 5});
  Request request;
  request.user = "u1";
  const History history = history_of(*bundle, state, AddedItems(*bundle), request, 2000000000);
  EXPECT_TRUE(history.times.empty());
  EXPECT_EQ(history.items.back(), *bundle->dataset().find_item("i39"))
      << "what came after training stands last";
  EXPECT_TRUE(Bundle::open(path_)->timed());
}

TEST_F(BundleTest, PartsOfAnotherDatasetAreRefused) {
  const fs::path copy = with_manifest([](Json&) {});
  sid::SidModel sids = sid::load_sid(copy / "sid");
  sids.table.codes.resize(sids.table.codes.size() - size_t(sids.table.levels));
  sid::save_sid(copy / "sid", sids);
  artifact::write_manifest(copy, "bundle", funnel::kBundleVersion,
                           read_json(copy / "manifest.json")["content"]);
  EXPECT_NE(error_of(copy).find("different datasets"), std::string::npos);
}

}  // namespace
}  // namespace podium::serving
