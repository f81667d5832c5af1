#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "podium/base/scratch.h"
#include "podium/capi/podium.h"
#include "podium/serving/test_bundle.h"

namespace {

class CapiTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    path_ = podium::serving::write_test_bundle(podium::scratch_dir("capi"));
    ASSERT_EQ(podium_open(path_.c_str(), 1, &bundle_), PODIUM_OK) << podium_error();
  }
  static void TearDownTestSuite() { podium_close(bundle_); }

  static inline podium::fs::path path_;
  static inline podium_bundle* bundle_ = nullptr;
};

const char* const kHistory[] = {"i1", "i2"};
const char* const kCandidates[] = {"i5", "i9", "i7", "i30"};

TEST_F(CapiTest, ReranksToAPermutation) {
  const podium_slate slate = {kHistory, 2, kCandidates, 4};
  std::vector<size_t> order(4, 99);
  ASSERT_EQ(podium_rerank(bundle_, &slate, order.data()), PODIUM_OK) << podium_error();
  EXPECT_EQ(std::set<size_t>(order.begin(), order.end()), (std::set<size_t>{0, 1, 2, 3}));
  const podium_slate newcomer = {nullptr, 0, kCandidates, 4};
  EXPECT_EQ(podium_rerank(bundle_, &newcomer, order.data()), PODIUM_OK);
}

TEST_F(CapiTest, RecommendsDistinctItems) {
  podium_items items;
  ASSERT_EQ(podium_recommend(bundle_, "u3", 12, &items), PODIUM_OK) << podium_error();
  ASSERT_EQ(items.size, 12u);
  EXPECT_EQ(std::set<std::string>(items.ids, items.ids + items.size).size(), 12u);
  podium_items_free(&items);
  EXPECT_EQ(items.ids, nullptr);
  podium_items_free(&items);
  podium_items_free(nullptr);
}

TEST_F(CapiTest, BadRequestsAreToldApart) {
  size_t order[4];
  podium_items items;
  const char* const twice[] = {"i5", "i5"};
  const char* const unknown[] = {"i5", "nothing"};
  const char* const null[] = {"i5", nullptr};
  for (const auto& [candidates, size] :
       {std::pair{twice, size_t{2}}, {unknown, 2}, {null, 2}, {kCandidates, 1}, {kCandidates, 0}}) {
    const podium_slate slate = {nullptr, 0, candidates, size};
    EXPECT_EQ(podium_rerank(bundle_, &slate, order), PODIUM_BAD_REQUEST);
    EXPECT_STRNE(podium_error(), "");
  }
  const podium_slate no_history = {nullptr, 1, kCandidates, 4};
  EXPECT_EQ(podium_rerank(bundle_, &no_history, order), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_rerank(bundle_, nullptr, order), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_recommend(bundle_, "nobody", 3, &items), PODIUM_BAD_REQUEST);
  EXPECT_NE(std::string(podium_error()).find("nobody"), std::string::npos);
  EXPECT_EQ(items.ids, nullptr);
  EXPECT_EQ(podium_recommend(bundle_, "u3", 0, &items), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_recommend(bundle_, "u3", 3, nullptr), PODIUM_BAD_REQUEST);
}

TEST_F(CapiTest, WhatIsNoBundleFailsWithItsPath) {
  podium_bundle* bundle = bundle_;
  EXPECT_EQ(podium_open("/no/such/bundle", 1, &bundle), PODIUM_FAILED);
  EXPECT_EQ(bundle, nullptr);
  EXPECT_NE(std::string(podium_error()).find("/no/such/bundle"), std::string::npos);
  EXPECT_EQ(podium_open(nullptr, 1, &bundle), PODIUM_BAD_REQUEST);
  EXPECT_EQ(podium_open(path_.c_str(), -1, &bundle), PODIUM_BAD_REQUEST);
  podium_close(nullptr);
}

TEST_F(CapiTest, ErrorsBelongToTheirThread) {
  EXPECT_EQ(podium_rerank(nullptr, nullptr, nullptr), PODIUM_BAD_REQUEST);
  std::string other = "x";
  std::thread([&] { other = podium_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_EQ(podium_api_version(), PODIUM_API_VERSION);
}

TEST_F(CapiTest, TheExampleRuns) {
  const auto out = path_.parent_path() / "example.txt";
  const std::string command =
      std::string(PODIUM_C_EXAMPLE) + " " + path_.string() + " u3 6 > " + out.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream lines(out);
  std::multiset<std::string> recommended, reranked;
  for (std::string kind, id; lines >> kind >> id;) {
    (kind == "rerank" ? reranked : recommended).insert(id);
  }
  EXPECT_EQ(recommended.size(), 6u);
  EXPECT_EQ(recommended, reranked);
}

}  // namespace
